/**
 * Which test covers which row of the catalogue of negative inputs (reliability-security, 5.2, 5.3, 5.4 and 5.7), so that a
 * row that loses its test is noticed. Keys come as files, so that there is nothing to test about remote ones (S133).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunWhole } from '../promises/titles.ts';

/** The rows as the catalogue numbers them. */
const SECTIONS: Readonly<Record<string, readonly number[]>> = {
  '5.2 access tokens': [20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 39, 41],
  '5.3 token endpoint': [45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 59, 60],
  '5.4 envelopes': [70, 71, 72, 73, 74, 75, 76, 78, 80, 81, 82, 83, 84, 85, 86],
  '5.7 keys': [130, 131, 132],
};

/** File without `test/` and `.test.ts`, row, and the titles after the number, as they are written there. */
type Cover = readonly [file: string, row: number, ...titles: readonly string[]];

const TOKENS = 'journey/oauthTokens';
const ENDPOINT = 'journey/oauthEndpoint';
const ENVELOPES = 'journey/oauthEnvelopes';
const KEYS = 'journey/registration';

const COVERED: readonly Cover[] = [
  [TOKENS, 20, 'two parts', 'four parts', 'base64url that is none'],
  [
    TOKENS,
    20,
    'a header that is no JSON',
    'a header that is a list',
    'claims that are no JSON',
    'claims that are a list',
  ],
  [TOKENS, 21, 'alg none, without a signature', 'alg none, with a signature', 'alg None', 'no alg'],
  [TOKENS, 22, 'HS256 with our public key in PEM', 'HS256 with our public key as JWK'],
  [TOKENS, 23, 'ES384', 'RS256', 'PS256', 'EdDSA', 'ES256K', 'ES384 by name, signed with our key'],
  [TOKENS, 24, 'no signature', 'zeros', 'a bit changed', 'in DER', 'of another token', 'of another key'],
  [TOKENS, 25, 'a key of its own', 'a certificate of its own', 'no address in a header is ever asked'],
  [TOKENS, 26, 'an unknown kid', 'no kid', 'a kid of 2 kB', 'a kid of 10 kB', 'a kid that is a path'],
  [TOKENS, 26, 'a kid that is SQL', 'a kid with NUL', 'the kid __proto__', 'a name in a token never gets into the log'],
  [TOKENS, 28, 'run out', 'no end', 'an end that is a text', 'an end below 0', 'an end of 1e308', 'two hours'],
  [TOKENS, 29, 'not yet', 'of the future', 'good from 8 seconds ahead', 'issued 8 seconds ahead'],
  [TOKENS, 30, 'of another environment', 'of nobody'],
  [TOKENS, 31, 'for somebody else', 'for us and somebody else', 'for nobody'],
  [TOKENS, 32, 'of another type', 'of no type'],
  [TOKENS, 33, 'a client assertion'],
  [ENDPOINT, 34, 'an access token for an assertion'],
  [TOKENS, 35, 'no sub', 'another sub', 'a sub that is a number', 'no client_id', 'a client_id that is a list'],
  [TOKENS, 35, 'no jti', 'a jti that is a number', 'no scope', 'scopes in a list'],
  [TOKENS, 36, 'a scope without this API', 'a scope that the client does not have'],
  [TOKENS, 37, 'a revoked jti is out in every spelling of its token, and no other jti is'],
  [TOKENS, 37, 'the other s', 'padding', 'bits to spare', 'blanks inside'],
  [TOKENS, 39, 'a JWE', 'a token inside a token', 'a JWS in JSON'],
  [TOKENS, 41, 'of another environment'],
  [ENDPOINT, 45, 'no assertion', 'no assertion, only its type'],
  [ENDPOINT, 45, 'a wrong client_assertion_type', 'no client_assertion_type'],
  [ENDPOINT, 46, 'no grant_type', 'an empty grant_type', 'another grant_type'],
  [ENDPOINT, 47, 'RS256', 'HS256 with the client’s public key', 'none', 'none, with a signature', 'ES384'],
  [ENDPOINT, 48, 'signed by another client’s key', 'signed by another client’s key, by its own name'],
  [ENDPOINT, 48, 'signed by a key that nobody registered', 'signed by our own key'],
  [KEYS, 48, 'signs no assertion any more, and one that is kept beside the new one does'],
  [ENDPOINT, 49, 'no iss', 'no sub', 'another iss', 'another sub', 'another client altogether'],
  [ENDPOINT, 49, 'the parameter client_id may name the client, and nobody else'],
  [ENDPOINT, 50, 'no audience', 'a foreign audience', 'the endpoint for an audience', 'a slash more', 'another case'],
  [ENDPOINT, 50, 'an array of us alone', 'an array of us and another'],
  [ENDPOINT, 51, 'no end', 'run out', 'six minutes ahead', 'a long life'],
  [ENDPOINT, 52, 'issued 8 seconds ahead', 'good from 8 seconds ahead'],
  [ENDPOINT, 52, 'issued 61 seconds ahead', 'good from 61 seconds ahead', 'a day old, with an end to come'],
  [ENDPOINT, 53, 'no jti', 'an empty jti', 'a jti of 129 characters', 'a jti of 128 characters'],
  [ENDPOINT, 54, 'are good once, however their signature is spelled; the same jti is another client’s own'],
  ['journey/oauthCluster', 54, 'one assertion, fifty times at once, is one token'],
  [ENDPOINT, 55, 'are remembered for longer than anyone would accept them', 'are no good without the journal'],
  ['edge/tokenEndpoint', 55, 'the assertion is used up before a token exists'],
  [ENDPOINT, 56, 'a scope beyond what was assigned'],
  [ENDPOINT, 56, 'without a scope all that was assigned, with one that and once each'],
  [ENDPOINT, 57, 'a parameter twice', 'an assertion twice', 'parameters in the query', 'one parameter in the query'],
  [ENDPOINT, 57, 'JSON', 'more than 16 kB', 'packed'],
  [ENDPOINT, 59, 'nobody we know', 'a wrong signature'],
  ['edge/assertion', 59, 'a stranger costs one verification, like everybody else, even with our own key'],
  [
    'edge/assertion',
    59,
    'without the name of a key everybody costs the same, strangers and clients of any number of keys',
  ],
  [ENDPOINT, 60, 'GET is 404, and a token is for an hour'],
  ['journey/oauth', 60, 'no answer of the token endpoint may be kept, and each has its line and its number'],
  [ENVELOPES, 70, 'RSA1_5 by name', 'RSA1_5 by padding', 'RSA-OAEP', 'SHA-1 in it', 'RSA-OAEP-384', 'RSA-OAEP-512'],
  [ENVELOPES, 71, 'dir', 'A128KW', 'A128GCMKW', 'ECDH-ES', 'ECDH-ES with a wrapped key'],
  [ENVELOPES, 72, 'a password with a billion rounds'],
  [ENVELOPES, 73, 'compressed', 'a bomb'],
  [ENVELOPES, 74, 'a point off the curve', 'a private key to agree with'],
  [ENVELOPES, 75, 'A256GCM', 'A192GCM', 'A128CBC-HS256'],
  [ENVELOPES, 76, 'a bit of the header', 'a bit of the key', 'a bit of the iv', 'a bit of the ciphertext'],
  [ENVELOPES, 76, 'a bit of the tag', 'no header', 'no key', 'no iv', 'no ciphertext', 'no tag'],
  [ENVELOPES, 78, 'four parts', 'six parts', 'JSON for one', 'JSON of the general form for one', 'JSON for two'],
  [ENVELOPES, 80, 'wrong padding of the key and a wrong tag have one status and the same bytes'],
  [ENVELOPES, 80, 'why is in our log alone, in a word'],
  [ENVELOPES, 81, 'an unknown kid', 'no kid', 'sealed for a client', 'the right name and another key'],
  [KEYS, 81, 'opens while it is kept beside the new one, and nothing after that'],
  [ENVELOPES, 82, 'JSON of a client that encrypts', 'JSON that is called an envelope'],
  [ENVELOPES, 82, 'an envelope of a client that does not encrypt is 400, whatever it is called'],
  [ENVELOPES, 83, 'nothing inside', 'not UTF-8', 'not JSON', 'a list', 'null', 'another envelope'],
  [ENVELOPES, 84, 'a body above the cap is 400 before anything is opened', 'more inside than a message may be'],
  [ENVELOPES, 85, 'are sealed for the key that the client registered, whatever the request brings'],
  ['journey/oauth', 86, 'the very same bytes again are the same answer, sealed afresh, and nothing more'],
  [KEYS, 130, 'a private key', 'a symmetric key', 'RSA of 1024 bits', 'RSA with e = 1'],
  [KEYS, 130, 'EC on P-384', 'a point off the curve'],
  [KEYS, 131, 'one kid twice', 'one key twice', 'a use for something else', 'key_ops for something else'],
  [KEYS, 131, 'the kid of another client’s key', 'another client’s key'],
  [KEYS, 132, 'expired', 'not yet valid', 'self-signed', 'of another authority', 'of a key on another curve'],
  [KEYS, 132, 'of a weak RSA key', 'signed with SHA-1', 'of an authority itself', 'below a chain of 20'],
];

const texts = new Map<string, string>();
const textOf = (file: string): string => {
  const text = texts.get(file) ?? readFileSync(join(import.meta.dirname, '..', `${file}.test.ts`), 'utf8');
  texts.set(file, text);
  return text;
};

/** Whether a title of the file, which may name several rows, is about this one and says this. */
const says = (file: string, row: number, title: string): boolean => {
  const quoted = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`'(?:[SF]\\d+ )*S${row}(?: [SF]\\d+)*: ${quoted}'`).test(textOf(file));
};

describe.each(Object.entries(SECTIONS))('reliability-security %s', (_, rows) => {
  it.each(rows)('S%i has its tests', row => {
    const covers = COVERED.filter(([, about]) => about === row);
    expect(covers).not.toEqual([]);
    const lost = covers.flatMap(([file, , ...titles]) =>
      titles.filter(title => !says(file, row, title)).map(title => `${file}: S${row}: ${title}`),
    );
    expect(lost).toEqual([]);
  });
});

/** Of the conformance suite for FAPI 2.0 Security Profile (Final), those that apply to us. */
const FAPI = [
  'EnsureClientAssertionInTokenEndpoint',
  'EnsureClientAssertionWithWrongAudFails',
  'EnsureClientAssertionWithExpIs5MinutesInPastFails',
  'EnsureClientAssertionWithNoSubFails',
  'EnsureSignedClientAssertionWithRS256Fails',
  'EnsureClientIdInTokenEndpoint',
  'PAREnsureJWTClientAssertionWithIatNbf8SecondsInTheFutureIsAccepted',
  'PAREnsureJWTClientAssertionWithIatNbfOver60SecondsInTheFutureFails',
  'PAREndpointAsArrayAudienceFails',
  'PARTokenEndpointAsAudienceFails',
  'PAREndpointAsAudienceFails',
  'AccessTokenTypeHeaderCaseSensitivity: %s',
];

describe('FAPI 2.0', () => {
  it.each(FAPI)('%s has its test', name => {
    expect(textOf('journey/fapi')).toContain(`'FAPI2SPFinal${name}'`);
  });

  it('a wrong case of Bearer is the one that the suite sends', () => {
    expect(textOf('journey/fapi')).toContain(`'bEARER'`);
  });
});

describe('the table', () => {
  it('is about these rows and no others, and says nothing twice', () => {
    const all = Object.values(SECTIONS).flat();
    expect(COVERED.filter(([, row]) => !all.includes(row))).toEqual([]);
    const named = COVERED.flatMap(([file, row, ...titles]) => titles.map(title => `${file} ${row} ${title}`));
    expect(new Set(named).size).toBe(named.length);
  });

  it('names files in which every test is run', () => {
    expect([...new Set(COVERED.map(([file]) => file))].filter(file => !isRunWhole(file))).toEqual([]);
  });
});
