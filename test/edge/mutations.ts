/**
 * Tokens, envelopes and their parts, changed at random: what the fuzz tests send.
 */
import fc from 'fast-check';
import { ISSUER, type Json, NOW_S } from './oauthKit.ts';

/** How many mutations a property tries: so many, or what `FUZZ_RUNS` says. */
export const fuzzRuns = (usual: number): number => Number(process.env.FUZZ_RUNS ?? usual);

/** Changes of a text that keep most of it: one may survive the first checks and reach the next. */
const mutation: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.constantFrom(...'AZaz09-_.=+/ \n%"{\u0000é')).map(([at, character]) => (text: string) => {
    const where = at % (text.length + 1);
    return text.slice(0, where) + character + text.slice(where + 1);
  }),
  fc.tuple(fc.nat(), fc.string({ maxLength: 5 })).map(([at, more]) => (text: string) => {
    const where = at % (text.length + 1);
    return text.slice(0, where) + more + text.slice(where);
  }),
  fc.tuple(fc.nat(), fc.nat(20)).map(([at, length]) => (text: string) => {
    const where = at % (text.length + 1);
    return text.slice(0, where) + text.slice(where + length);
  }),
  fc.tuple(fc.nat(4), fc.nat(4)).map(([from, to]) => (text: string) => {
    const parts = text.split('.');
    const part = parts[from % parts.length] ?? '';
    return parts.with(to % parts.length, part).join('.');
  }),
  fc.tuple(fc.nat(4), fc.base64String()).map(([at, part]) => (text: string) => {
    const parts = text.split('.');
    return parts.with(at % parts.length, part.replaceAll('+', '-').replaceAll('/', '_')).join('.');
  }),
  fc.nat(10).map(count => (text: string) => `${text}${'.'.repeat(count)}`),
);
export const mutated = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .array(mutation, { minLength: 1, maxLength: 3 })
        .map(all => all.reduce((now, change) => change(now), text)),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  );

/** Values that a claim or a header member may get by mistake or malice. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1e308,
    2 ** 53,
    true,
    [],
    {},
    'bank',
    'as',
    ISSUER,
    [ISSUER],
    `${ISSUER}/`,
    'ES256',
    'none',
    'at+jwt',
    NOW_S,
    NOW_S + 8,
    NOW_S + 61,
    NOW_S + 0.5,
    NOW_S - 3600,
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
/** An object with some members changed, dropped or added. */
export const changed = (object: Json): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.dictionary(
        fc.oneof(fc.constantFrom(...Object.keys(object), 'nbf', 'jwk', 'crit', 'b64', 'cty', 'zip'), fc.string()),
        oddValue,
        { maxKeys: 2 },
      ),
      fc.subarray(Object.keys(object), { maxLength: 1 }),
    )
    .map(([more, dropped]) =>
      Object.fromEntries(Object.entries({ ...object, ...more }).filter(([name]) => !dropped.includes(name))),
    );
