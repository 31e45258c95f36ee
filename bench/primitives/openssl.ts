/**
 * What OpenSSL itself makes of the private-key operation, as the measure that everybody knows: `openssl speed rsa2048`, on
 * one core and as two processes. Its version is the machine's, which may be another than Node's.
 */
import { findNeed } from '../../test/support/programs.ts';

const OPENSSL = {
  what: 'openssl',
  names: ['openssl'],
  packages: { 'apt-get': 'openssl', apk: 'openssl', dnf: 'openssl', brew: 'openssl' },
};

export const opensslIsAvailable = async (): Promise<string | undefined> =>
  findNeed(OPENSSL) === undefined ? 'openssl is not installed (Debian or Ubuntu: apt-get install openssl)' : undefined;

/** The command that measures for so many seconds; public-key operations come after it for as long. */
export const opensslCommand = (seconds: number, processes: number): readonly string[] => [
  'openssl',
  'speed',
  '-seconds',
  String(Math.max(1, Math.round(seconds))),
  ...(processes > 1 ? ['-multi', String(processes)] : []),
  'rsa2048',
];

/**
 * Private-key operations per second. The line has times for some operations, then rates for as many, signing first; newer
 * versions show more of them.
 *
 * @throws Error with the end of what was printed, where there is no such line.
 */
export function parseOpensslSpeed(output: string): number {
  const line = /^rsa +2048 bits +(?:[\d.]+s +)+([\d.]+)(?: |$)/m.exec(output);
  const rate = Number(line?.[1]);
  if (!(rate > 0)) throw new Error(`openssl speed told nothing that can be read:\n${output.slice(-500)}`);
  return rate;
}
