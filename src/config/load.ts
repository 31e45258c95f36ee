/**
 * Loads the configuration: reads the file, fills in what it takes from the environment and from other files, and checks
 * everything before it says yes or no, so that an operator sees every problem in one run.
 */
import { dirname, resolve } from 'node:path';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { buildConfig } from './build.ts';
import type { LoadResult } from './config.ts';
import { readDocument } from './document.ts';
import { Findings } from './findings.ts';
import { checkHazards } from './hazards.ts';
import { type KeyMaterial, readKeyMaterial } from './keyMaterial.ts';
import { CONFIG_BYTES_MAX } from './limits.ts';
import { type Complete, readSections } from './read.ts';
import { checkReferences } from './references.ts';
import { checkRelations } from './relations.ts';
import { sections } from './schema.ts';
import type { Env } from './substitute.ts';
import { type ReadText, readTextFile } from './textFile.ts';

/**
 * Loads and checks the configuration in the file at `path`, with `env` for its substitutions and the wall clock for what
 * may have expired. Never throws: whatever is wrong is in `problems`, all of it, ordered by line. What is `disabled`, and
 * warnings, do not keep the gateway from starting.
 */
export const loadConfig = async (
  path: string,
  env: Env,
  clock: Pick<Clock, 'wallMs'> = systemClock,
  readText: ReadText = readTextFile,
): Promise<LoadResult> => {
  const file = resolve(path);
  const lines = new Map<string, number>();
  const findings = new Findings(path, lines);
  const config = await load(file, lines, findings, { env, wallMs: clock.wallMs(), readText });
  const { problems, disabledParts: disabled, warnings } = findings;
  if (config === undefined) return { ok: false, problems, disabled, warnings };
  return { ok: true, config, disabled, warnings };
};

type Around = { readonly env: Env; readonly wallMs: number; readonly readText: ReadText };

const load = async (file: string, lines: Map<string, number>, findings: Findings, around: Around) => {
  const { env, wallMs, readText } = around;
  const directory = dirname(file);
  const source = await readText(file, CONFIG_BYTES_MAX);
  if (!source.ok) {
    findings.problem([], `this file ${source.why}`, 'name the configuration with --config or GATEWAY_CONFIG');
    return undefined;
  }
  const tree = await readDocument(source.text, lines, findings, env, directory, readText);
  if (tree === undefined) return undefined;
  const { drafts, complete } = readSections(tree, sections(directory), findings);
  checkReferences(drafts, findings);
  checkRelations(drafts, findings);
  checkHazards(drafts, findings);
  const keys = await readKeyMaterial(drafts, findings, wallMs, readText);
  return finish(complete, keys, file, lines, findings);
};

const finish = (
  complete: Complete | undefined,
  keys: KeyMaterial,
  file: string,
  lines: ReadonlyMap<string, number>,
  findings: Findings,
) => {
  if (complete === undefined || findings.problems.length > 0) return undefined;
  return buildConfig(complete, { file, lines, keys });
};
