/**
 * Runs `npm run keys` in this process, in a folder of the test, and remembers what it printed.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runKeys } from '../../src/keys/keys.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { tempDir } from '../support/places.ts';

export type Run = { readonly code: number; readonly out: string; readonly err: string };

export type Desk = {
  readonly dir: string;
  /** The path of a file in the folder. */
  path(name: string): string;
  write(name: string, content: string | object): string;
  read(name: string): string;
  json(name: string): Record<string, unknown>;
  mode(name: string): string;
  /** Runs a command; a word that begins with `@` is a file of the folder. */
  keys(...words: readonly string[]): Promise<Run>;
};

export function desk(clock: Clock = systemClock): Desk {
  const dir = tempDir('keys');
  const path = (name: string): string => join(dir, name);
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  return {
    dir,
    path,
    read,
    write: (name, content) => {
      writeFileSync(path(name), typeof content === 'string' ? content : JSON.stringify(content));
      return path(name);
    },
    json: name => JSON.parse(read(name)) as Record<string, unknown>,
    mode: name => (statSync(path(name)).mode & 0o777).toString(8),
    keys: async (...words) => {
      const out: string[] = [];
      const err: string[] = [];
      const named = words.map(word => (word.startsWith('@') ? path(word.slice(1)) : word));
      const tools = { clock, random: systemRandom };
      const code = await runKeys(named, tools, { print: text => out.push(text), complain: text => err.push(text) });
      return { code, out: out.join('\n'), err: err.join('\n') };
    },
  };
}

/** The system's clock, moved by some days. */
export const daysFromNow = (days: number): Clock => ({
  ...systemClock,
  wallMs: () => systemClock.wallMs() + days * 86_400_000,
});
