/**
 * The rules of the layout, enforced: first over the project as it is, then each rule over small bad sources, so that no
 * rule can rot into one that never fires. The rules are in `support/architecture`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CODE_RULES, textSource } from './support/architecture/code.ts';
import { IMPORT_RULES } from './support/architecture/imports.ts';
import { formatViolation } from './support/architecture/rule.ts';
import { parseSource, type Source } from './support/architecture/source.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['src', 'test', 'bench'];
const RULES = [...IMPORT_RULES, ...CODE_RULES];

const read = (path: string, text: string): Source =>
  path.endsWith('.ts') ? parseSource(path, text) : textSource(path, text);

function projectSources(): Source[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && FOLDERS.includes(entry.name))
    .flatMap(({ name }) =>
      readdirSync(join(ROOT, name), { recursive: true, encoding: 'utf8' }).map(path => join(name, path)),
    )
    .filter(path => /\.(ts|lua)$/.test(path))
    .map(path => read(path.replaceAll('\\', '/'), readFileSync(join(ROOT, path), 'utf8')));
}

/** What the rules say about made-up files, as `rule: path:line`. */
function complaints(files: Readonly<Record<string, string>>): string[] {
  const sources = Object.entries(files).map(([path, text]) => read(path, text));
  return RULES.flatMap(rule => rule.check(sources).map(({ path, line }) => `${rule.name}: ${path}:${line}`));
}

describe('the project keeps its rules', () => {
  const sources = projectSources();

  it('is read at all', () => {
    expect(sources.map(({ path }) => path)).toContain('src/domain/ids.ts');
    expect(sources.map(({ path }) => path)).toContain('test/architecture.test.ts');
  });

  it.each(RULES.map(rule => [rule.name, rule] as const))('%s', (_, rule) => {
    expect(rule.check(sources).map(formatViolation)).toEqual([]);
  });
});

/** The top of a file that keeps the rule about opening comments; the code begins on line 2. */
const TOP = '/** For a test. */\n';
const long = (lines: number) => 'f();\n'.repeat(lines);

type Bad = readonly [rule: string, path: string, code: string];

const BAD: readonly Bad[] = [
  ['domain imports only domain', 'src/domain/x.ts', "import { a } from '../edge/a.ts';\na();"],
  ['domain imports only domain', 'src/domain/x.ts', "import type { A } from '../runtime/a.ts';\nexport type B = A;"],
  ['domain imports only domain', 'src/domain/x.ts', "import { hash } from 'node:crypto';\nhash();"],
  ['domain imports only domain', 'src/domain/x.ts', "export const a = () => import('../edge/a.ts');"],
  ['domain imports only domain', 'src/domain/x.ts', "export type A = typeof import('../edge/a.ts');"],
  [
    'authorize and delivery import ports, never adapters',
    'src/authorize.ts',
    "import type { A } from './http/a.ts';\nexport type B = A;",
  ],
  [
    'authorize and delivery import ports, never adapters',
    'src/delivery/x.ts',
    "import type { A } from '../journal/redis/a.ts';\nexport type B = A;",
  ],
  [
    'authorize and delivery import ports, never adapters',
    'src/delivery/x.ts',
    "import type { A } from '../issuer/httpIssuer.ts';\nexport type B = A;",
  ],
  [
    'adapters never import each other',
    'src/http/x.ts',
    "import type { A } from '../journal/sqlite.ts';\nexport type B = A;",
  ],
  ['adapters never import each other', 'src/journal/redis/x.ts', "import { a } from '../sqlite/a.ts';\na();"],
  ['adapters never import each other', 'src/issuer/x.ts', "import { a } from '../sandbox/a.ts';\na();"],
  ['only gateway builds adapters', 'src/edge/x.ts', "import { a } from '../http/a.ts';\na();"],
  ['only gateway builds adapters', 'src/runtime/x.ts', "import { a } from '../journal/redis.ts';\na();"],
  ['the client stands alone', 'src/client/x.ts', "import { a } from '../catalogue/a.ts';\na();"],
  ['the client stands alone', 'src/client/x.ts', "import { a } from './generate/a.ts';\na();"],
  ['the client stands alone', 'src/client/x.ts', "import { join } from 'node:path';\njoin();"],
  ['one vendor, one home', 'src/edge/x.ts', "import { Hono } from 'hono';\nnew Hono();"],
  ['one vendor, one home', 'src/issuer/x.ts', "import { a } from '@hono/node-server/serve';\na();"],
  ['one vendor, one home', 'src/http/x.ts', "import { Pool } from 'undici';\nnew Pool();"],
  ['one vendor, one home', 'src/journal/sqlite.ts', "import { Redis } from 'ioredis';\nnew Redis();"],
  ['one vendor, one home', 'src/journal/redis.ts', "import { DatabaseSync } from 'node:sqlite';\nnew DatabaseSync();"],
  ['one vendor, one home', 'src/edge/x.ts', "import type { ZodType } from 'zod/v4';\nexport type B = ZodType;"],
  ['one vendor, one home', 'src/edge/x.ts', "import { request } from 'node:http';\nrequest();"],
  ['one vendor, one home', 'src/edge/x.ts', "import { pad } from 'left-pad';\npad();"],
  ['src never imports test', 'src/edge/x.ts', "import { a } from '../../test/support/a.ts';\na();"],
  ['no barrel files', 'src/edge/index.ts', "export { a } from './a.ts';\nexport type { B } from './b.ts';"],
  ['no barrel files', 'src/edge/index.ts', "import { a } from './a.ts';\nexport { a };"],
  ['no barrel files', 'src/edge/x.ts', "export * from './a.ts';\nexport const b = 1;"],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = Date.now();'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const clock = { now: Date.now };'],
  ['time and randomness only through runtime', 'src/edge/x.ts', "export const a = globalThis.Date['now']();"],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = new Date();'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = performance.now();'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = Math.random();'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = () => setTimeout(a, 5);'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const timers = { setInterval };'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = AbortSignal.timeout(5);'],
  ['time and randomness only through runtime', 'src/edge/x.ts', 'export const a = crypto.randomUUID();'],
  [
    'time and randomness only through runtime',
    'src/edge/x.ts',
    "import { randomBytes } from 'node:crypto';\nrandomBytes(1);",
  ],
  [
    'time and randomness only through runtime',
    'src/edge/x.ts',
    "import { randomUUID as id } from 'node:crypto';\nid();",
  ],
  ['time and randomness only through runtime', 'src/edge/x.ts', "import * as c from 'node:crypto';\nc.hash();"],
  [
    'time and randomness only through runtime',
    'src/edge/x.ts',
    "import { setTimeout as sleep } from 'node:timers/promises';\nsleep(1);",
  ],
  ['process.env only in config', 'src/edge/x.ts', 'export const a = process.env.A;'],
  ['process.env only in config', 'src/edge/x.ts', "export const a = globalThis.process['env'];"],
  ['process.env only in config', 'src/edge/x.ts', 'const { env } = process;\nenv();'],
  ['process.env only in config', 'src/edge/x.ts', "import { env } from 'node:process';\nenv();"],
  ['nothing unproved', 'test/x.test.ts', 'export const a = (b: any) => b;'],
  ['nothing unproved', 'src/edge/x.ts', 'export const a = (b?: string) => b!;'],
  ['nothing unproved', 'src/edge/x.ts', '// @ts-expect-error\nexport const a: string = 1;'],
  ['short functions', 'src/edge/x.ts', `export const a = () => {\n${long(70)}};`],
  ['short functions', 'src/edge/x.ts', `export class A {\n  b() {\n${long(70)}}\n}`],
  ['short functions', 'test/x.test.ts', `it('a', () => {\n${long(70)}});`],
  ['short functions', 'test/x.test.ts', `describe('a', () => {\nit('b', () => {\n${long(70)}});\n});`],
  ['short files', 'src/edge/x.ts', long(400)],
  ['short files', 'src/journal/lua/x.lua', `-- for a test\n${long(400)}`],
];

const GOOD: readonly (readonly [path: string, code: string])[] = [
  ['src/domain/x.ts', "import { a } from './a.ts';\nexport const b = a;"],
  [
    'src/delivery/x.ts',
    "import type { A } from '../issuer/issuer.ts';\nimport type { J } from '../journal/journal.ts';\nexport type B = A | J;",
  ],
  ['src/gateway.ts', "import { a } from './http/a.ts';\nimport { b } from './journal/redis/b.ts';\na(b);"],
  ['src/http/x.ts', "import { Hono } from 'hono';\nimport { cors } from 'hono/cors';\nnew Hono(cors);"],
  ['src/client/crypto.ts', "import { importJWK } from 'jose';\nimport { a } from './a.ts';\nimportJWK(a);"],
  ['src/client/generate/x.ts', "import { a } from '../../catalogue/a.ts';\nimport { b } from 'node:fs';\na(b);"],
  ['src/journal/redis/x.ts', "import { Redis } from 'ioredis';\nexport const a = Redis;"],
  ['src/sandbox/x.ts', "import { createServer } from 'node:http';\ncreateServer(() => setTimeout(f, Date.now()));"],
  [
    'src/runtime/x.ts',
    "import { randomBytes } from 'node:crypto';\nexport const a = () => [randomBytes(1), Math.random()];",
  ],
  [
    'src/edge/x.ts',
    "import { createHash, timingSafeEqual } from 'node:crypto';\nexport const a = [createHash, timingSafeEqual];",
  ],
  ['src/edge/x.ts', 'export const a = (ms: number) => new Date(ms).toISOString();'],
  ['src/edge/x.ts', 'export const a = (timer: T) => ({ b: timer.setTimeout(1), setTimeout: timer });'],
  ['src/config/x.ts', 'export const a = process.env.A;'],
  ['src/edge/x.ts', "import { a } from './a.ts';\nexport { a };\nexport const b = a;"],
  ['src/edge/x.ts', `export const a = () => {\n${long(60)}};`],
  ['test/x.test.ts', `describe.each(all)('a', () => {\n${long(80)}});`],
  ['test/x.test.ts', `export function suite() {\n  describe('a', () => {\n${long(80)}});\n}`],
  ['src/journal/lua/x.lua', '#!lua\n-- for a test\nreturn 1'],
];

describe('every rule can fail', () => {
  it.each(BAD)('%s: %s: %j', (rule, path, code) => {
    const found = complaints({ [path]: (path.endsWith('.ts') ? TOP : '') + code });
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(complaint => complaint.startsWith(`${rule}: ${path}:`))).toBe(true);
  });

  it.each(GOOD)('leaves alone: %s: %j', (path, code) => {
    expect(complaints({ [path]: (path.endsWith('.ts') ? TOP : '') + code })).toEqual([]);
  });

  it.each([
    ['src/edge/x.ts', 'export const a = 1;\n'],
    ['src/journal/lua/x.lua', 'return 1\n'],
  ])('every file says what it is for: %s', (path, text) => {
    expect(complaints({ [path]: text })).toEqual([`every file says what it is for: ${path}:1`]);
  });

  it('no cycles: names the circle, whatever its length, and lets type imports be', () => {
    const file = (next: string, kind = '') => `${TOP}import ${kind}{ a } from './${next}.ts';\nexport const b = a;`;
    const found = complaints({
      'src/edge/one.ts': file('two'),
      'src/edge/two.ts': file('three'),
      'src/edge/three.ts': file('one'),
    });
    expect(found).toEqual(['no cycles: src/edge/three.ts:2']);
    expect(complaints({ 'src/edge/one.ts': file('two'), 'src/edge/two.ts': file('one', 'type ') })).toEqual([]);
    expect(complaints({ 'src/edge/self.ts': file('self') })).toEqual(['no cycles: src/edge/self.ts:2']);
  });

  it('covers each rule at least once', () => {
    const tried = new Set([...BAD.map(([rule]) => rule), 'no cycles', 'every file says what it is for']);
    expect(RULES.map(({ name }) => name).filter(name => !tried.has(name))).toEqual([]);
  });

  it('says file, line and replacement', () => {
    const source = read('src/edge/x.ts', `${TOP}export const a = Math.random();`);
    const [message] = RULES.flatMap(rule => rule.check([source])).map(formatViolation);
    expect(message).toBe('src/edge/x.ts:2: Math.random; take a Random (src/runtime/random.ts) as an argument');
  });
});
