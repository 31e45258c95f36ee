/** Whatever is in the file, loading ends with an answer: no exception, and every problem complete and on a line of the file. */
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { place, SAMPLE } from './sample.ts';

const path = place(SAMPLE);

const check = async (text: string): Promise<void> => {
  writeFileSync(path, text);
  const result = await loadConfig(path, { X: '1' });
  const lineCount = text.split('\n').length;
  const all = result.ok ? result.warnings : [...result.problems, ...result.warnings];
  expect(result.ok || result.problems.length > 0).toBe(true);
  for (const problem of all) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lineCount);
    expect(problem.what).not.toBe('');
    expect(problem.mend).not.toBe('');
  }
};

const WORDS = [...new Set(SAMPLE.match(/[A-Za-z0-9]+/g) ?? [])];
const key = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.constantFrom('tls', 'oauth', 'payload', 'payloadKeys', 'mtls', 'certFile', 'keysFile', '__proto__', 'toString'),
);
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    Number.MAX_VALUE,
    8080,
    '',
    '${X}',
    '${',
    '${file:x}',
    'bank',
    '100000',
    'Transaction',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.double(),
);
const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
  ),
}));
const section = fc.constantFrom('server', 'admin', 'journal', 'oauth', 'clients', 'issuers', 'routes');

describe('loading never throws', () => {
  test('on trees made of its own words', async () => {
    const file = fc.dictionary(
      section,
      fc.oneof(tree, fc.array(fc.dictionary(key, tree, { maxKeys: 8 }), { maxLength: 3 })),
    );
    await fc.assert(
      fc.asyncProperty(file, async made => check(JSON.stringify(made))),
      { numRuns: 150 },
    );
  });

  test('on a valid file with pieces taken out, doubled, or put in', async () => {
    const piece = fc.constantFrom(
      '\n',
      '  ',
      '- ',
      ': ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&a ',
      '*a',
      '!x ',
      '|\n',
      '>',
      '${X}',
      '#',
      '\t',
      '<<: ',
      '---\n',
      '%YAML 1.1\n',
      '\u0000',
      '\ud800',
    );
    const edit = fc.record({
      at: fc.nat(SAMPLE.length),
      cut: fc.nat(30),
      put: fc.oneof(piece, fc.constantFrom(...WORDS)),
    });
    const edited = fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map(edits => edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), SAMPLE));
    await fc.assert(fc.asyncProperty(edited, check), { numRuns: 250 });
  });

  test('on any text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 100 });
  });

  test.for([
    ['deep lists', '['.repeat(50_000)],
    ['deep maps', 'a: {'.repeat(20_000)],
    ['deep block', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    [
      'aliases that multiply',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]},`.repeat(9)}]`).join('\n')}`,
    ],
    ['one long key', `${'k'.repeat(100_000)}: 1`],
    ['many keys', Array.from({ length: 5000 }, (_, n) => `k${n}: 1`).join('\n')],
  ] as const)('%s', async ([, text]) => check(text));
});
