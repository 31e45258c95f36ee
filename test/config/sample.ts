/**
 * A valid configuration with one key a line, and ways to break it: a test replaces a line and marks with `#!` the line
 * that the problem should name.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { formatProblem, type LoadResult, type Problem } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { tempDir } from '../support/places.ts';

export const HASH_A = 'a'.repeat(64);
export const HASH_B = 'b'.repeat(64);

export const SAMPLE = `server:
  host: 127.0.0.1
  port: 8080
  basePath: /card-api
admin:
  host: 127.0.0.1
  port: 9090
journal:
  url: sqlite:var/gateway.db
  sealKeyFile: seal.key
clients:
  - id: wallet
    participants: ["100000"]
    product: prepaid
    scopes: [Transaction]
    bearer:
      tokenSha256: [${HASH_A}]
    allowFrom: [127.0.0.0/8]
  - id: acquirer
    participants: ["100001"]
    product: prepaid
    scopes: [Purchase]
    bearer:
      tokenSha256: [${HASH_B}]
    allowFrom: []
issuers:
  - id: bank
    baseUrl: https://bank.example/card-api
    balanceHeldBy: issuer
    credentials:
      bearer: "bank-token"
  - id: ledger
    baseUrl: http://127.0.0.1:7070
    balanceHeldBy: processor
    credentials:
      bearer: "ledger-token"
routes:
  - participant: "100000"
    issuer: bank
  - participant: "100001"
    issuer: ledger
`;

export type Change = readonly [find: string, put: string];

/** The sample with the first occurrence of each text replaced; a text that is not there is a mistake of the test. */
export const sampleWith = (...changes: readonly Change[]): string =>
  changes.reduce((text, [find, put]) => {
    if (!text.includes(find)) throw new Error(`the sample has no ${find}`);
    return text.replace(find, () => put);
  }, SAMPLE);

/** The lines marked with `#!`, counted from 1. */
export const markedLines = (text: string): readonly number[] =>
  text.split('\n').flatMap((line, index) => (line.includes('#!') ? [index + 1] : []));

export type Files = Readonly<Record<string, string>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** A folder with a seal key, the given files and the configuration; returns the configuration's path. */
export const place = (text: string, files: Files = {}): string => {
  const folder = tempDir('config');
  const all = { 'seal.key': `${randomBytes(32).toString('base64')}\n`, ...files, 'gateway.yaml': text };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  return join(folder, 'gateway.yaml');
};

export const load = (text: string, env: Env = {}, files: Files = {}): Promise<LoadResult> =>
  loadConfig(place(text, files), env);

/** The configuration, where the test takes it for valid. */
export const loadGood = async (text: string, env: Env = {}, files: Files = {}) => {
  const result = await load(text, env, files);
  if (!result.ok) throw new Error(`not valid: ${JSON.stringify(result.problems, null, 1)}`);
  return result;
};

/** All that the check of the file calls a problem. */
export const problemsOf = async (text: string, env: Env = {}, files: Files = {}): Promise<readonly Problem[]> => {
  const result = await load(text, env, files);
  return [...(result.ok ? [] : result.problems), ...result.disabled];
};

/** Problems as `line path`, to compare them at a glance. */
export const places = (problems: readonly Problem[]): readonly string[] =>
  problems.map(problem => `${problem.line} ${problem.path}`);

/** What breaks, the path that is named, what is said of it, and the changes to the sample. */
export type Broken = readonly [title: string, path: string, what: RegExp, ...changes: readonly Change[]];

/** A problem is found at the marked line and at the path, or below it, and says how to mend it. */
export const expectProblem = async ([, path, what, ...changes]: Broken): Promise<void> => {
  const text = sampleWith(...changes);
  const problems = await problemsOf(text);
  const [line] = markedLines(text);
  const found = problems.filter(problem => problem.line === line && problem.path.startsWith(path));
  expect(found.map(formatProblem).join('\n'), JSON.stringify(problems, null, 1)).toMatch(what);
  for (const problem of found) expect(problem.mend).not.toBe('');
};
