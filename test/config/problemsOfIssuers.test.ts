/** What can be wrong with issuers, routes and the text itself. The line to be named is marked `#!`. */
import { describe, test } from 'vitest';
import { type Broken, expectProblem, HASH_A } from './sample.ts';

const BROKEN: readonly Broken[] = [
  [
    'issuer in the clear over a network',
    'issuers[0].baseUrl',
    /without TLS.*dangerouslyAllowPlaintext/,
    ['https://bank.example/card-api', 'http://bank.example/card-api #!'],
  ],
  [
    'issuer address with a login',
    'issuers[0].baseUrl',
    /user name or a password/,
    ['https://bank.example/card-api', 'https://u:p@bank.example #!'],
  ],
  [
    'issuer address with a query',
    'issuers[0].baseUrl',
    /query/,
    ['https://bank.example/card-api', 'https://bank.example/?a=b #!'],
  ],
  [
    'issuer address of another scheme',
    'issuers[0].baseUrl',
    /not http/,
    ['https://bank.example/card-api', 'ftp://bank.example #!'],
  ],
  [
    'balance held by whom',
    'issuers[0].balanceHeldBy',
    /issuer or processor/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: both #!'],
  ],
  [
    'issuer token with a line break',
    'issuers[0].credentials.bearer',
    /not a bearer token/,
    ['"bank-token"', '"bank\\nX-Admin: 1" #!'],
  ],
  [
    'empty credentials',
    'issuers[0].credentials',
    /neither bearer nor oauth/,
    ['    credentials:\n      bearer: "bank-token"', '    credentials: {} #!'],
  ],
  [
    'file of mutual TLS',
    'issuers[0].mtls.certFile',
    /is not there/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    mtls:\n      keyFile: seal.key\n      certFile: none.pem #!'],
  ],
  [
    'in flight above the process',
    'issuers[0].maxInFlight',
    /1 to 4096/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    maxInFlight: 4097 #!'],
  ],
  [
    'breaker share',
    'issuers[0].breaker.errorPercent',
    /1 to 100/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    breaker:\n      errorPercent: 0 #!'],
  ],
  [
    'breaker that is open for no time',
    'issuers[0].breaker.openMs',
    /10 to/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    breaker: {openMs: 0} #!'],
  ],
  [
    'time-out that leaves no time to settle',
    'issuers[0].timeoutMs',
    /2701 ms and 300 ms to settle do not fit in the budget of clients\[0\] \(3000 ms\); write at most 2700/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    timeoutMs: 2701 #!'],
  ],
  [
    'default time-out in a short budget',
    'issuers[0].timeoutMs',
    /raise budgetMs of clients\[0\] to at least 2300/,
    ['product: prepaid', 'product: prepaid\n    budgetMs: 2299'],
    ['- id: bank', '- id: bank #!'],
  ],
  [
    'time-out of one API',
    'issuers[0].timeoutMsByApi.Purchase',
    /do not fit/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    timeoutMsByApi:\n      Purchase: 2900 #!'],
  ],
  [
    'time-out of an unknown API',
    'issuers[0].timeoutMsByApi.Purchse',
    /did you mean Purchase/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    timeoutMsByApi:\n      Purchse: 900 #!'],
  ],
  [
    'processing ends before we stop waiting',
    'issuers[0].maxProcessingMs',
    /1999 ms are less than the 2000 ms/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    maxProcessingMs: 1999 #!'],
  ],
  [
    'processing outlasts memory',
    'issuers[0].maxProcessingMs',
    /3600000 ms are not less than remembersHours/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    remembersHours: 1\n    maxProcessingMs: 3600000 #!'],
  ],
  [
    'issuer remembers longer than the journal',
    'issuers[0].remembersHours',
    /169 h are more than journal.retentionHours/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    remembersHours: 169 #!'],
  ],
  [
    'route to an unknown issuer',
    'routes[0].issuer',
    /not the id of an issuer; did you mean bank/,
    ['issuer: bank', 'issuer: bnak #!'],
  ],
  [
    'the same route twice',
    'routes[2]',
    /participant and prefix of routes\[0\]/,
    ['issuer: ledger\n', 'issuer: ledger\n  - {participant: "100000", issuer: bank} #!\n'],
  ],
  [
    'the same prefix twice',
    'routes[3]',
    /participant and prefix of routes\[2\]/,
    [
      'issuer: ledger\n',
      'issuer: ledger\n  - {participant: "100000", cardPrefix: "4", issuer: bank}\n  - {participant: "100000", cardPrefix: "4", issuer: ledger} #!\n',
    ],
  ],
  [
    'prefix that no card has',
    'routes[0].cardPrefix',
    /beginning of a card/,
    ['issuer: bank', 'issuer: bank\n    cardPrefix: "42*" #!'],
  ],
  [
    'prefix as a number',
    'routes[0].cardPrefix',
    /in quotes/,
    ['issuer: bank', 'issuer: bank\n    cardPrefix: 4220 #!'],
  ],
  ['clients that are no list', 'clients', /not a list/, ['clients:', 'clients: {} #!\nx:']],
  ['client that is no map', 'clients[2]', /not a map/, ['    allowFrom: []', '    allowFrom: []\n  - bank #!']],
  [
    'file of an OAuth client',
    'clients[0].oauth.keysFile',
    /is not there/,
    [`bearer:\n      tokenSha256: [${HASH_A}]`, 'oauth:\n      keysFile: none.json #!'],
  ],
  ['alias of nothing', 'server.port', /anchor/, ['port: 8080', 'port: *nothing #!']],
  ['alias of itself', '', /./, ['port: 8080', 'port: &p [*p] #!']],
  ['tag', '', /tag/, ['port: 8080', 'port: !port 8080 #!']],
  ['tab', '', /tab/, ['  port: 8080', '\tport: 8080 #!']],
  ['second document', '', /second document/, ['issuer: ledger\n', 'issuer: ledger\n--- #!\nx: 1\n']],
  ['key that is a list', '', /key is not plain text/, ['port: 8080', '? [a] #!\n  : b\n  port: 8080']],
  [
    'unquoted substitution in braces',
    '',
    /in quotes/,
    ['port: 8080', 'port: 8080\n  tls: {certFile: ${X:-y}, keyFile: z} #!'],
  ],
];

describe('problems of issuers, routes and the text are named with their line', () => {
  for (const broken of BROKEN) test(broken[0], () => expectProblem(broken));
});
