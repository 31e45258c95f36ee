/**
 * The file of results of runs about growth, `scale.json`: each part as it was last measured, with the machine that it was
 * measured on, so that a run of one part leaves the others as they are.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../results.ts';
import type { PartName } from './options.ts';
import type { Table } from './tables.ts';

export type PartResult = { readonly startedAt: string; readonly machine: Machine; readonly tables: readonly Table[] };
export type ScaleResults = Readonly<Partial<Record<PartName, PartResult>>>;

const fileIn = (folder: string): string => join(folder, 'scale.json');

/** What was measured so far; nothing where there is no file. */
export const readScale = (folder: string): ScaleResults =>
  existsSync(fileIn(folder)) ? JSON.parse(readFileSync(fileIn(folder), 'utf8')) : {};

/** Adds a part to the file, or puts it in the place of the one before; the path of the file. */
export function leavePart(folder: string, part: PartName, result: PartResult): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileIn(folder), `${JSON.stringify({ ...readScale(folder), [part]: result }, null, 1)}\n`);
  return fileIn(folder);
}
