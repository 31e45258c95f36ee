/**
 * Where a gateway is to die: the test writes the plan to a file, and `gateway.ts` beside this file looks at it. All the
 * named transactions are held at the point until the last one is there; then the process kills itself, so that one
 * death leaves a doubt of every kind.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The points inside the process, each beside the journal:
 * `begin` the claim is written, nothing is sent · `answered` the answer is in hand and not stored · `stored` it is stored
 * and not told · `delivering` a try of a delivery is leased and not sent · `acknowledged` it was answered and that is not
 * stored. (`sent` and `replied` are seen from outside.)
 */
export type CrashPoint = 'begin' | 'answered' | 'stored' | 'delivering' | 'acknowledged';

export type CrashPlan = {
  readonly at: CrashPoint;
  /** Of the entries, which for an undo is the original's. */
  readonly tranIds: readonly string[];
};

/** The variable of the environment that names the plan's file. */
export const PLAN_FILE = 'CRASH_PLAN_FILE';

export const writePlan = (file: string, plan: CrashPlan): void => writeFileSync(file, JSON.stringify(plan));

export const dropPlan = (file: string): void => rmSync(file, { force: true });

export const readPlan = (file: string): CrashPlan | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CrashPlan) : undefined;
