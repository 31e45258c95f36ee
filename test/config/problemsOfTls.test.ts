/** What can be wrong with TLS on the public port, and with keys and certificates towards issuers. `#!` marks the line. */
import { describe, test } from 'vitest';
import { authority } from '../issuer/certificate.ts';
import { jwksOf, signingKeyText } from '../issuer/keys.ts';
import { CA, COMING, expectKeyProblem, KEYS, type KeyRow, MTLS_PAIR, marked, PAST, TLS_PAIR } from './oauthSample.ts';
import type { Files } from './sample.ts';

const PRIVATE_SET = JSON.stringify({ keys: [JSON.parse(KEYS.clientEc)] });
const pairOf = (name: 'tls' | 'mtls', { cert, key }: { cert: string; key: string }): Files => ({
  [`${name}.pem`]: cert,
  [`${name}.key`]: key,
});

const SERVER: readonly KeyRow[] = [
  [
    'a key of another certificate',
    'server.tls.keyFile',
    /not the key of the certificate/,
    marked('keyFile: tls.key'),
    { 'tls.key': MTLS_PAIR.key },
  ],
  [
    'a key behind a passphrase',
    'server.tls.keyFile',
    /passphrase/,
    marked('keyFile: tls.key'),
    { 'tls.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----' },
  ],
  ['no key', 'server.tls.keyFile', /no private key/, marked('keyFile: tls.key'), { 'tls.key': TLS_PAIR.cert }],
  ['no certificate', 'server.tls.certFile', /no certificate/, marked('certFile: tls.pem'), { 'tls.pem': TLS_PAIR.key }],
  [
    'a torn certificate',
    'server.tls.certFile',
    /cannot be read/,
    marked('certFile: tls.pem'),
    { 'tls.pem': TLS_PAIR.cert.replace(/MII[\s\S]{80}/, 'MII') },
  ],
  [
    'S132: expired',
    'server.tls.certFile',
    /expired on \d{4}-\d\d-\d\d/,
    marked('certFile: tls.pem'),
    pairOf('tls', CA.issue('x', PAST)),
  ],
  [
    'S132: not valid yet',
    'server.tls.certFile',
    /not valid before/,
    marked('certFile: tls.pem'),
    pairOf('tls', CA.issue('x', COMING)),
  ],
  [
    'expired behind the first',
    'server.tls.certFile',
    /expired on/,
    marked('certFile: tls.pem'),
    { 'tls.pem': TLS_PAIR.cert + authority(PAST).cert },
  ],
  [
    'the chain in the wrong order',
    'server.tls.keyFile',
    /not the key of the first/,
    marked('keyFile: tls.key'),
    { 'tls.pem': CA.cert + TLS_PAIR.cert },
  ],
  [
    'an authority that is none',
    'server.tls.clientCaFile',
    /not of an authority/,
    ['clientCaFile: ca.pem', 'clientCaFile: tls.pem #!'],
  ],
  [
    'an authority not there',
    'server.tls.clientCaFile',
    /is not there/,
    ['clientCaFile: ca.pem', 'clientCaFile: none.pem #!'],
  ],
];

const ISSUERS: readonly KeyRow[] = [
  [
    'a key that does not sign',
    'issuers[0].credentials.oauth.signingKeyFile',
    /not an EC key/,
    marked('signingKeyFile: us.jwk.json'),
    { 'us.jwk.json': KEYS.payload },
  ],
  [
    'a token endpoint in the clear',
    'issuers[0].credentials.oauth.tokenEndpoint',
    /without TLS/,
    ['https://auth.bank.example/token', 'http://auth.bank.example/token #!'],
  ],
  [
    'a scope with quotes',
    'issuers[0].credentials.oauth.scope',
    /not a scope/,
    ['scope: Purchase Reversal', 'scope: \'a "b"\' #!'],
  ],
  [
    'a scope with two spaces',
    'issuers[0].credentials.oauth.scope',
    /not a scope/,
    ['scope: Purchase Reversal', 'scope: "a  b" #!'],
  ],
  [
    'a client id with a line end',
    'issuers[0].credentials.oauth.clientId',
    /not a client id/,
    ['our gateway', '"a\\nb" #!'],
  ],
  [
    'an identifier that is no address',
    'issuers[0].credentials.oauth.issuer',
    /not an address/,
    ['issuer: https://auth.bank.example/\n', 'issuer: bank #!\n'],
  ],
  [
    'encrypted without keys',
    'issuers[0].payload',
    /needs payloadKeys/,
    [
      'payload: encrypted\n    payloadKeys:\n      issuerKeysFile: bank.jwks.json\n      decryptionKeyFiles: [ours.jwk.json]',
      'payload: encrypted #!',
    ],
  ],
  [
    'keys without encryption',
    'issuers[0].payloadKeys',
    /payload is plain/,
    ['    payload: encrypted\n    payloadKeys:', '    payloadKeys: #!'],
  ],
  [
    'no key of ours',
    'issuers[0].payloadKeys.decryptionKeyFiles',
    /is empty/,
    ['decryptionKeyFiles: [ours.jwk.json]', 'decryptionKeyFiles: [] #!'],
  ],
  [
    'no key of theirs',
    'issuers[0].payloadKeys.issuerKeysFile',
    /no RSA key/,
    marked('issuerKeysFile: bank.jwks.json'),
    { 'bank.jwks.json': jwksOf(signingKeyText()) },
  ],
  [
    'a private key of theirs',
    'issuers[0].payloadKeys.issuerKeysFile',
    /private key/,
    marked('issuerKeysFile: bank.jwks.json'),
    { 'bank.jwks.json': PRIVATE_SET },
  ],
  [
    'mutual TLS with a certificate alone',
    'issuers[0].mtls',
    /one of certFile and keyFile/,
    ['    mtls:\n      certFile: mtls.pem\n      keyFile: mtls.key', '    mtls: #!\n      certFile: mtls.pem'],
  ],
  [
    'mutual TLS with nothing',
    'issuers[0].mtls',
    /is empty/,
    ['    mtls:\n      certFile: mtls.pem\n      keyFile: mtls.key\n      caFile: ca.pem', '    mtls: {} #!'],
  ],
  [
    'mutual TLS with halves of two pairs',
    'issuers[0].mtls.keyFile',
    /not the key/,
    marked('keyFile: mtls.key'),
    { 'mtls.key': TLS_PAIR.key },
  ],
  [
    'S132: an expired certificate of ours',
    'issuers[0].mtls.certFile',
    /expired on/,
    marked('certFile: mtls.pem'),
    pairOf('mtls', CA.issue('x', PAST)),
  ],
  [
    'S132: a pinned authority that has ended',
    'issuers[0].mtls.caFile',
    /no authority that is still valid/,
    ['      caFile: ca.pem\n  - id: ledger', '      caFile: old.pem #!\n  - id: ledger'],
    { 'old.pem': authority(PAST).cert },
  ],
];

describe.each([
  ['TLS of the public port', SERVER],
  ['keys towards issuers', ISSUERS],
] as const)('problems of %s are named with their line', (_, rows) => {
  test.for(rows)('%s', row => expectKeyProblem(row));
});
