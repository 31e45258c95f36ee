/**
 * A valid configuration that uses everything with keys: the section oauth, clients by JWKS and by certificates, TLS on
 * the public port, an issuer over OAuth with encrypted payloads and mutual TLS. Made when the test runs.
 */
import { expect } from 'vitest';
import { formatProblem } from '../../src/config/config.ts';
import { authority } from '../issuer/certificate.ts';
import { jwksOf, openingKeyText, signingKeyText } from '../issuer/keys.ts';
import { type Change, type Files, HASH_A, markedLines, problemsOf, sampleWith } from './sample.ts';

export const OAUTH_SECTION = `oauth:
  issuer: https://gateway.example
  signingKeyFiles:
    - token.jwk.json
  decryptionKeyFiles:
    - payload.jwk.json
`;

/** The private keys that the files below were made of. */
export const KEYS = {
  token: signingKeyText(),
  token2: signingKeyText(),
  payload: openingKeyText(),
  payload2: openingKeyText(),
  clientEc: signingKeyText(),
  clientEc2: signingKeyText(),
  clientRsa: openingKeyText(),
  issuerRsa: openingKeyText(),
};

const YEAR = { untilDays: 365 };
export const CA = authority(YEAR);
export const TLS_PAIR = CA.issue('gateway.example', YEAR);
export const MTLS_PAIR = CA.issue('gateway.example', YEAR);
const SIGNER = CA.issue('client', YEAR);
const READER = CA.issue('client', YEAR, 'rsa');

export const FILES: Files = {
  'token.jwk.json': KEYS.token,
  'payload.jwk.json': KEYS.payload,
  'wallet.jwks.json': jwksOf(KEYS.clientEc, KEYS.clientRsa),
  'signer.pem': SIGNER.cert,
  'reader.pem': READER.cert,
  'ca.pem': CA.cert,
  'tls.pem': TLS_PAIR.cert,
  'tls.key': TLS_PAIR.key,
  'us.jwk.json': KEYS.token2,
  'bank.jwks.json': jwksOf(KEYS.issuerRsa),
  'ours.jwk.json': KEYS.payload2,
  'mtls.pem': MTLS_PAIR.cert,
  'mtls.key': MTLS_PAIR.key,
};

export const WITH_KEYS: readonly Change[] = [
  [
    '  basePath: /card-api\n',
    `  basePath: /card-api
  tls:
    certFile: tls.pem
    keyFile: tls.key
    clientCaFile: ca.pem
`,
  ],
  ['journal:', `${OAUTH_SECTION}journal:`],
  [
    `bearer:
      tokenSha256: [${HASH_A}]
`,
    `oauth:
      keysFile: wallet.jwks.json
`,
  ],
  [
    `bearer:
      tokenSha256: [${'b'.repeat(64)}]
`,
    `oauth:
      certificateFiles: [signer.pem, reader.pem]
      caFile: ca.pem
`,
  ],
  [
    `    credentials:
      bearer: "bank-token"
`,
    `    credentials:
      oauth:
        tokenEndpoint: https://auth.bank.example/token
        issuer: https://auth.bank.example/
        clientId: our gateway
        signingKeyFile: us.jwk.json
        scope: Purchase Reversal
    payload: encrypted
    payloadKeys:
      issuerKeysFile: bank.jwks.json
      decryptionKeyFiles: [ours.jwk.json]
    mtls:
      certFile: mtls.pem
      keyFile: mtls.key
      caFile: ca.pem
`,
  ],
];

/** The sample with all of that, and further changes. */
export const keySampleWith = (...changes: readonly Change[]): string => sampleWith(...WITH_KEYS, ...changes);

/** Validity of what has ended, and of what is to come. */
export const PAST = { fromDays: -10, untilDays: -1 };
export const COMING = { fromDays: 2, untilDays: 10 };

/** What breaks, the path that is named, what is said of it, the change that marks the line, and other files. */
export type KeyRow = readonly [title: string, path: string, what: RegExp, change: Change, files?: Files];

/** Marks a line of the sample. */
export const marked = (text: string): Change => [text, `${text} #!`];

/** A problem is found at the marked line and at the path, and says how to mend it. */
export const expectKeyProblem = async ([, path, what, change, files = {}]: KeyRow): Promise<void> => {
  const text = keySampleWith(change);
  const problems = await problemsOf(text, {}, { ...FILES, ...files });
  const [line] = markedLines(text);
  const found = problems.filter(problem => problem.line === line && problem.path === path);
  expect(found.map(formatProblem).join('\n'), JSON.stringify(problems, null, 1)).toMatch(what);
  for (const problem of found) expect(problem.mend).not.toBe('');
};
