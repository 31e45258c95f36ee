/**
 * What the script in wrk tells at the end, one line of JSON that begins with `REPORT `, and what it means for a sample.
 * The script is in `wrkScript.ts`; its histogram is wrk's own, with the omission of a closed loop corrected by wrk.
 */
import type { Histogram } from '../results.ts';

export const REPORT_MARK = 'REPORT ';

/** What a loader says of one stretch of load. */
export type LoadReport = {
  readonly seconds: number;
  /** Answers of any kind. */
  readonly answered: number;
  /** Answers that did not do what was asked. */
  readonly bad: number;
  /** Connections that broke, requests that were not answered in time. */
  readonly lost: number;
  readonly histogram: Histogram;
  /** Requests asked of a pool that had no more. */
  readonly usedUp: number;
};

/** @throws Error with what wrk printed, where the line is missing or is not one. */
export function parseWrkReport(output: string): LoadReport {
  const line = output.split('\n').find(text => text.startsWith(REPORT_MARK));
  if (line === undefined) throw new Error(`wrk said nothing that can be read:\n${output.slice(-1_000)}`);
  const { seconds, answered, bad, lost, usedUp, histogram } = JSON.parse(line.slice(REPORT_MARK.length));
  for (const [name, value] of Object.entries({ seconds, answered, bad, lost, usedUp })) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`wrk's ${name} is no number`);
  }
  // Lua writes an empty table as an object.
  return { seconds, answered, bad, lost, usedUp, histogram: Array.isArray(histogram) ? histogram : [] };
}
