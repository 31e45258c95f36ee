/**
 * What other commands of the project have measured for a target, which takes longer or other surroundings than the bench
 * has: one file each, `other/TARGET.json` in the folder of results.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetName } from '../targets.ts';
import type { OtherMeasurement } from './verdicts.ts';

const FOLDER = 'other';

/** Leaves a measurement for the reports. @param out folder of results, such as `var/bench`. */
export function leaveOther(out: string, target: TargetName, measurement: Omit<OtherMeasurement, 'target'>): void {
  mkdirSync(join(out, FOLDER), { recursive: true });
  const left: OtherMeasurement = { target, ...measurement };
  writeFileSync(join(out, FOLDER, `${target}.json`), `${JSON.stringify(left, null, 2)}\n`);
}

/** What was left so far. @throws Error naming a file that cannot be read. */
export function readOthers(out: string): OtherMeasurement[] {
  const folder = join(out, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .map(name => {
      const left: OtherMeasurement = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      if (!isWhole(left)) throw new Error(`${join(folder, name)} holds no measurement: remove it, or measure again`);
      return left;
    });
}

const isWhole = ({ target, rounds, note, startedAt, machine }: Partial<OtherMeasurement>): boolean =>
  typeof target === 'string' &&
  Array.isArray(rounds) &&
  rounds.every(Number.isFinite) &&
  typeof note === 'string' &&
  typeof startedAt === 'string' &&
  typeof machine?.cpu === 'string';
