/**
 * The keys that seal messages in the journal: 32 bytes in base64, one a line. The first seals and all open, so a key is
 * replaced in two steps: add the new one below everywhere, then move it to the top everywhere.
 */
import { Secret } from '../domain/secret.ts';
import type { SealKeys } from './config.ts';
import { Fault } from './fault.ts';

const KEY_BYTES = 32;
/** One that seals, one that is coming and a few that old entries still need. */
const KEYS_MAX = 32;
const KEY_MEND = 'make a key with: openssl rand -base64 32';

/** Reads the content of a key file. The fault names lines, never what is in them. */
export const parseSealKeys = (text: string): SealKeys | Fault => {
  const lines = text.split(/\r?\n/).map(line => line.trim());
  const keys: Secret<Uint8Array>[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const bytes = Buffer.from(line, 'base64');
    // Node's decoder skips what it does not know, so only the way back proves the line.
    if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== line) {
      return new Fault(`holds something else than 32 bytes of base64 in its line ${index + 1}`, KEY_MEND);
    }
    const before = lineOf.get(line);
    if (before !== undefined)
      return new Fault(`holds the same key in its lines ${before} and ${index + 1}`, 'remove one');
    lineOf.set(line, index + 1);
    keys.push(new Secret(new Uint8Array(bytes)));
  }
  const [first, ...others] = keys;
  if (first === undefined) return new Fault('holds no key', KEY_MEND);
  if (keys.length > KEYS_MAX) return new Fault(`holds more than ${KEYS_MAX} keys`, 'remove those that nothing needs');
  return [first, ...others];
};
