/** What can be wrong with our keys and those of clients, and with the files that hold them. `#!` marks the line to be named. */
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { authority } from '../issuer/certificate.ts';
import { jwksOf, openingKeyText, publicHalf } from '../issuer/keys.ts';
import {
  CA,
  COMING,
  expectKeyProblem,
  FILES,
  KEYS,
  type KeyRow,
  keySampleWith,
  marked,
  PAST,
  TLS_PAIR,
} from './oauthSample.ts';
import { place, places, problemsOf, sampleWith } from './sample.ts';

const withJwk = (text: string, more: Record<string, unknown>): string =>
  JSON.stringify({ ...JSON.parse(text), ...more });
const PRIVATE_SET = JSON.stringify({ keys: [JSON.parse(KEYS.clientEc)] });
const SMALL_RSA = openingKeyText({}, 1024);
const TOKEN_KEY = marked('    - token.jwk.json');
const PAYLOAD_KEY = marked('    - payload.jwk.json');
const KEYS_FILE = marked('keysFile: wallet.jwks.json');
const CERTIFICATES = marked('certificateFiles: [signer.pem, reader.pem]');

const OURS: readonly KeyRow[] = [
  ['not there', 'oauth.signingKeyFiles[0]', /is not there/, ['- token.jwk.json', '- none.json #!']],
  ['no JSON', 'oauth.signingKeyFiles[0]', /not a JSON Web Key/, TOKEN_KEY, { 'token.jwk.json': 'x' }],
  ['PEM', 'oauth.signingKeyFiles[0]', /is PEM/, TOKEN_KEY, { 'token.jwk.json': TLS_PAIR.key }],
  [
    'a public key',
    'oauth.signingKeyFiles[0]',
    /is a public key/,
    TOKEN_KEY,
    { 'token.jwk.json': JSON.stringify(publicHalf(KEYS.token)) },
  ],
  ['RSA to sign', 'oauth.signingKeyFiles[0]', /not an EC key/, TOKEN_KEY, { 'token.jwk.json': KEYS.payload }],
  ['EC to open', 'oauth.decryptionKeyFiles[0]', /not an RSA key/, PAYLOAD_KEY, { 'payload.jwk.json': KEYS.token }],
  ['RSA of 1024 bits', 'oauth.decryptionKeyFiles[0]', /1024 bits/, PAYLOAD_KEY, { 'payload.jwk.json': SMALL_RSA }],
  [
    'the same file twice',
    'oauth.signingKeyFiles[1]',
    /a key that oauth\.signingKeyFiles\[0\] also has/,
    ['    - token.jwk.json', '    - token.jwk.json\n    - token.jwk.json #!'],
  ],
  [
    'one name for two keys',
    'oauth.signingKeyFiles[1]',
    /whose kid is also that of a key of oauth\.signingKeyFiles\[0\]/,
    ['    - token.jwk.json', '    - token.jwk.json\n    - second.json #!'],
    { 'token.jwk.json': withJwk(KEYS.token, { kid: 'k' }), 'second.json': withJwk(KEYS.token2, { kid: 'k' }) },
  ],
  [
    'none to sign',
    'oauth.signingKeyFiles',
    /is empty/,
    ['signingKeyFiles:\n    - token.jwk.json', 'signingKeyFiles: [] #!'],
  ],
  ['an identifier with a slash', 'oauth.issuer', /slash/, ['https://gateway.example', 'https://gateway.example/ #!']],
  ['with a path', 'oauth.issuer', /has a path/, ['https://gateway.example', 'https://gateway.example/card-api #!']],
];

const CLIENTS: readonly KeyRow[] = [
  ['not there', 'clients[0].oauth.keysFile', /is not there/, ['wallet.jwks.json', 'none.json #!']],
  [
    'S130: private',
    'clients[0].oauth.keysFile',
    /keys\[0\] holds a private key/,
    KEYS_FILE,
    { 'wallet.jwks.json': PRIVATE_SET },
  ],
  [
    'no RSA key with encrypted payload',
    'clients[0].oauth.keysFile',
    /no RSA key/,
    KEYS_FILE,
    { 'wallet.jwks.json': jwksOf(KEYS.clientEc) },
  ],
  [
    'no EC key',
    'clients[0].oauth.keysFile',
    /no EC P-256 key/,
    KEYS_FILE,
    { 'wallet.jwks.json': jwksOf(KEYS.clientRsa) },
  ],
  [
    'S131: one kid twice',
    'clients[0].oauth.keysFile',
    /kid of keys\[0\]/,
    KEYS_FILE,
    { 'wallet.jwks.json': jwksOf(withJwk(KEYS.clientEc, { kid: 'a' }), withJwk(KEYS.clientRsa, { kid: 'a' })) },
  ],
  [
    'S132: expired',
    'clients[1].oauth.certificateFiles',
    /certificateFiles\[0\] .*since/,
    CERTIFICATES,
    { 'signer.pem': CA.issue('c', PAST).cert },
  ],
  [
    'S132: not valid yet',
    'clients[1].oauth.certificateFiles',
    /not valid before/,
    CERTIFICATES,
    { 'signer.pem': CA.issue('c', COMING).cert },
  ],
  [
    'S132: of another authority',
    'clients[1].oauth.certificateFiles',
    /authority/,
    CERTIFICATES,
    { 'signer.pem': authority().issue('c').cert },
  ],
  [
    'S132: of an authority itself',
    'clients[1].oauth.certificateFiles',
    /authority/,
    CERTIFICATES,
    { 'signer.pem': CA.cert },
  ],
  [
    'none for encryption',
    'clients[1].oauth.certificateFiles',
    /no RSA key/,
    ['[signer.pem, reader.pem]', '[signer.pem] #!'],
  ],
  [
    'a file not there',
    'clients[1].oauth.certificateFiles[1]',
    /is not there/,
    ['[signer.pem, reader.pem]', '[signer.pem, none.pem] #!'],
  ],
  [
    'an authority that has ended',
    'clients[1].oauth.caFile',
    /no authority that is still valid/,
    ['caFile: ca.pem\n    allowFrom', 'caFile: old.pem #!\n    allowFrom'],
    { 'old.pem': authority(PAST).cert },
  ],
  [
    'an authority that is none',
    'clients[1].oauth.caFile',
    /not of an authority/,
    ['caFile: ca.pem\n    allowFrom', 'caFile: signer.pem #!\n    allowFrom'],
  ],
  [
    'a key of another client',
    'clients[1].oauth',
    /a key that clients\[0\]\.oauth also has/,
    [
      'oauth:\n      certificateFiles: [signer.pem, reader.pem]\n      caFile: ca.pem',
      'oauth: #!\n      keysFile: wallet.jwks.json',
    ],
  ],
  [
    'S131: the kid of a key of another client',
    'clients[1].oauth',
    /whose kid is also that of a key of clients\[0\]\.oauth/,
    [
      'oauth:\n      certificateFiles: [signer.pem, reader.pem]\n      caFile: ca.pem',
      'oauth: #!\n      keysFile: other.json',
    ],
    {
      'wallet.jwks.json': jwksOf(withJwk(KEYS.clientEc, { kid: 'a' }), KEYS.clientRsa),
      'other.json': jwksOf(withJwk(KEYS.clientEc2, { kid: 'a' }), KEYS.issuerRsa),
    },
  ],
  [
    'S48: our own key',
    'clients[0].oauth',
    /a key that oauth\.signingKeyFiles\[0\] also has/,
    ['oauth:\n      keysFile', 'oauth: #!\n      keysFile'],
    { 'wallet.jwks.json': jwksOf(KEYS.token, KEYS.clientRsa) },
  ],
];

describe.each([
  ['our own keys', OURS],
  ['keys of clients', CLIENTS],
] as const)('problems of %s are named with their line', (_, rows) => {
  test.for(rows)('%s', row => expectKeyProblem(row));
});

describe('problems of keys', () => {
  test('are all found in one run', async () => {
    const none = Object.keys(FILES);
    const problems = await problemsOf(keySampleWith());
    expect(problems.filter(({ what }) => /is not there/.test(what))).toHaveLength(none.length + 2);
    expect(places(problems)).toContain('8 server.tls.clientCaFile');
  });

  test('two clients with one key are one problem, although the key has one name as well', async () => {
    const certificates = 'certificateFiles: [signer.pem, reader.pem]\n      caFile: ca.pem';
    const problems = await problemsOf(keySampleWith([certificates, 'keysFile: wallet.jwks.json']), {}, FILES);
    expect(problems.map(({ what }) => what)).toEqual(['names a file that holds a key that clients[0].oauth also has']);
  });

  test('mutual TLS has no use towards http', async () => {
    const mtls = 'balanceHeldBy: processor\n    mtls: {caFile: ca.pem} #!';
    const text = sampleWith(['balanceHeldBy: processor', mtls]);
    const problems = await problemsOf(text, {}, FILES);
    expect(problems.map(formatProblem).join()).toMatch(/issuers\[1\]\.mtls: has no use without TLS/);
  });

  test('a client with plain payload needs no RSA key', async () => {
    const text = keySampleWith(['keysFile: wallet.jwks.json', 'keysFile: wallet.jwks.json\n    payload: plain']);
    expect(await problemsOf(text, {}, { ...FILES, 'wallet.jwks.json': jwksOf(KEYS.clientEc) })).toEqual([]);
  });

  test('the same pair of ours may serve towards clients and towards issuers', async () => {
    const files = { ...FILES, 'us.jwk.json': KEYS.token, 'ours.jwk.json': KEYS.payload };
    expect(await problemsOf(keySampleWith(), {}, files)).toEqual([]);
  });

  test('private keys that others can read are a warning, public ones are not', async () => {
    const path = place(keySampleWith(), FILES);
    for (const name of Object.keys(FILES)) chmodSync(join(dirname(path), name), 0o644);
    const result = await loadConfig(path, {});
    expect(result.ok).toBe(true);
    expect(result.warnings.map(warning => warning.path)).toEqual([
      'server.tls.keyFile',
      'oauth.signingKeyFiles[0]',
      'oauth.decryptionKeyFiles[0]',
      'issuers[0].credentials.oauth.signingKeyFile',
      'issuers[0].payloadKeys.decryptionKeyFiles[0]',
      'issuers[0].mtls.keyFile',
    ]);
  });
});
