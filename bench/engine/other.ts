/**
 * What other commands of the project have measured for a target, which takes longer or other surroundings than the bench
 * has: one file each, `other/TARGET.json` in the folder of results.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetName } from '../targets.ts';
import type { OtherMeasurement } from './verdicts.ts';

const FOLDER = 'other';

/** Leaves a measurement for the next bench's report. @param out folder of results, such as `var/bench`. */
export function leaveOther(out: string, target: TargetName, rounds: readonly number[], note: string): void {
  mkdirSync(join(out, FOLDER), { recursive: true });
  const left: OtherMeasurement = { target, rounds, note };
  writeFileSync(join(out, FOLDER, `${target}.json`), `${JSON.stringify(left, null, 2)}\n`);
}

/** What was left so far. @throws Error naming a file that cannot be read. */
export function readOthers(out: string): OtherMeasurement[] {
  const folder = join(out, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .map(name => {
      const { target, rounds, note } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      const fits = typeof target === 'string' && Array.isArray(rounds) && rounds.every(Number.isFinite);
      if (!fits) throw new Error(`${join(folder, name)} holds no measurement`);
      return { target, rounds, note: String(note ?? '') };
    });
}
