/** What can be wrong with clients. The line to be named is marked `#!`. */
import { describe, test } from 'vitest';
import { type Broken, expectProblem, HASH_A, HASH_B } from './sample.ts';

const BROKEN: readonly Broken[] = [
  ['client id', 'clients[0].id', /not an id/, ['id: wallet', 'id: "wal let" #!']],
  ['client id twice', 'clients[1].id', /id of clients\[0\]\.id again/, ['id: acquirer', 'id: wallet #!']],
  ['issuer id twice', 'issuers[1].id', /id of issuers\[0\]\.id again/, ['id: ledger', 'id: bank #!']],
  ['participant as a number', 'clients[0].participants[0]', /number.*in quotes/, ['["100000"]', '[100000] #!']],
  [
    'participant of 16 characters',
    'clients[0].participants[0]',
    /not a participant/,
    ['["100000"]', '["1234567890123456"] #!'],
  ],
  [
    'participant with a hidden character',
    'clients[0].participants[0]',
    /not a participant/,
    ['["100000"]', '["1\\u202E0"] #!'],
  ],
  [
    'participant twice in a client',
    'clients[0].participants[1]',
    /participants\[0\] again/,
    ['["100000"]', '["100000", "100000"] #!'],
  ],
  ['no participant', 'clients[0].participants', /is empty/, ['["100000"]', '[] #!']],
  [
    'participant without a route',
    'clients[0].participants[1]',
    /no route leads/,
    ['["100000"]', '["100000", "100009"] #!'],
  ],
  ['product', 'clients[0].product', /prepaid or debit; did you mean debit/, ['product: prepaid', 'product: debt #!']],
  ['scope with a slip', 'clients[0].scopes[0]', /did you mean Transaction\?/, ['[Transaction]', '[Transation] #!']],
  ['scope of nothing', 'clients[0].scopes[0]', /neither a module nor an API/, ['[Transaction]', '[Everything] #!']],
  ['no scope', 'clients[0].scopes', /is empty/, ['[Transaction]', '[] #!']],
  [
    'API that the programme may not have',
    'clients[1].scopes[0]',
    /debit programme may not have Purchase/,
    ['["100001"]\n    product: prepaid', '["100001"]\n    product: debit'],
    ['[Purchase]', '[Purchase] #!'],
  ],
  [
    'retired API that no programme may have',
    'clients[1].scopes[1]',
    /prepaid programme may not have BlacklistUpdate where the processor holds the balance; remove it$/,
    ['[Purchase]', '[Card, BlacklistUpdate] #!'],
  ],
  [
    'neither bearer nor oauth',
    'clients[0]',
    /neither bearer nor oauth/,
    ['  - id: wallet', '  - id: wallet #!'],
    [`    bearer:\n      tokenSha256: [${HASH_A}]\n`, ''],
  ],
  [
    'bearer and oauth',
    'clients[0]',
    /both bearer and oauth/,
    ['  - id: wallet', '  - id: wallet #!\n    oauth: {keysFile: seal.key}'],
    [
      'server:',
      'oauth: {issuer: https://x.example, signingKeyFiles: [seal.key], decryptionKeyFiles: [seal.key]}\nserver:',
    ],
  ],
  [
    'token hash in capitals',
    'clients[0].bearer.tokenSha256[0]',
    /not a SHA-256 hash.*lower-case/,
    [`[${HASH_A}]`, `[${'A'.repeat(64)}] #!`],
  ],
  [
    'token hash that is the token',
    'clients[0].bearer.tokenSha256[0]',
    /not a SHA-256 hash/,
    [`[${HASH_A}]`, '[my-secret-token] #!'],
  ],
  [
    'hash of an empty token',
    'clients[0].bearer.tokenSha256[0]',
    /hash of an empty token/,
    [`[${HASH_A}]`, '[e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855] #!'],
  ],
  ['no token hash', 'clients[0].bearer.tokenSha256', /is empty/, [`[${HASH_A}]`, '[] #!']],
  [
    'token hash that is not in a list',
    'clients[0].bearer.tokenSha256',
    /is not a list/,
    [`[${HASH_A}]`, `${HASH_A} #!`],
  ],
  [
    'token hash of another client',
    'clients[1].bearer.tokenSha256[0]',
    /token hash of clients\[0\]\.bearer\.tokenSha256\[0\] again/,
    [`[${HASH_B}]`, `[${HASH_A}] #!`],
  ],
  [
    'token hash twice in a client',
    'clients[0].bearer.tokenSha256[1]',
    /again/,
    [`[${HASH_A}]`, `[${HASH_A}, ${HASH_A}] #!`],
  ],
  [
    'encrypted payload of a bearer client',
    'clients[0].payload',
    /sends plain JSON/,
    ['allowFrom: [127.0.0.0/8]', 'payload: encrypted #!'],
  ],
  [
    'network with bits beyond its length',
    'clients[0].allowFrom[0]',
    /bits set beyond/,
    ['[127.0.0.0/8]', '[127.0.0.1/8] #!'],
  ],
  [
    'budget',
    'clients[0].budgetMs',
    /milliseconds from 100 to 60000/,
    ['product: prepaid', 'product: prepaid\n    budgetMs: 3s #!'],
  ],
  [
    'negative rate',
    'clients[0].ratePerSecond',
    /out of range/,
    ['product: prepaid', 'product: prepaid\n    ratePerSecond: -1 #!'],
  ],
  [
    'tolerance',
    'clients[0].timestampToleranceSeconds',
    /out of range/,
    ['product: prepaid', 'product: prepaid\n    timestampToleranceSeconds: 90000 #!'],
  ],
  [
    'oauth client without the section oauth',
    'clients[0].oauth',
    /needs the section oauth/,
    [`bearer:\n      tokenSha256: [${HASH_A}]`, 'oauth: {keysFile: seal.key} #!'],
  ],
];

describe('problems of clients are named with their line', () => {
  for (const broken of BROKEN) test(broken[0], () => expectProblem(broken));
});
