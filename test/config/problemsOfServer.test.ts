/** What can be wrong with the keys of a file and with server, admin and journal. The line to be named is marked `#!`. */
import { describe, test } from 'vitest';
import { type Broken, expectProblem } from './sample.ts';

const BROKEN: readonly Broken[] = [
  ['unknown key', 'server.prot', /not a key.*did you mean port/, ['port: 8080', 'port: 8080\n  prot: 1 #!']],
  ['unknown section', 'client', /not a key.*did you mean clients/, ['clients:', 'client: [] #!\nclients:']],
  [
    'unknown nested key',
    'issuers[0].breaker.errorPercnt',
    /did you mean errorPercent/,
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    breaker:\n      errorPercnt: 5 #!'],
  ],
  [
    'key far from all others',
    'server.zzzzzzzz',
    /known here are host, port/,
    ['port: 8080', 'port: 8080\n  zzzzzzzz: 1 #!'],
  ],
  [
    'S94 __proto__ as a key',
    'server.__proto__',
    /not a key/,
    ['port: 8080', 'port: 8080\n  __proto__: {workers: 4} #!'],
  ],
  [
    'S94 constructor as a key',
    'clients[0].constructor',
    /not a key/,
    ['product: prepaid', 'product: prepaid\n    constructor: 1 #!'],
  ],
  ['S93 the same key twice', '', /twice/, ['port: 8080', 'port: 8080\n  port: 8081 #!']],
  ['port out of range', 'server.port', /out of range.*0 to 65535/, ['port: 8080', 'port: 65536 #!']],
  ['port in quotes', 'server.port', /is text, not a number/, ['port: 8080', 'port: "8080" #!']],
  ['port with a fraction', 'server.port', /not a whole number/, ['port: 8080', 'port: 80.5 #!']],
  ['port not a number', 'server.port', /not a whole number/, ['port: 8080', 'port: .nan #!']],
  ['key without a value', 'server.host', /is empty/, ['host: 127.0.0.1', 'host: #!']],
  [
    'optional key without a value',
    'clients[0].allowFrom',
    /is not a list/,
    ['allowFrom: [127.0.0.0/8]', 'allowFrom: #!'],
  ],
  ['missing key', 'server', /host: is missing/, ['server:\n  host: 127.0.0.1', 'server: #!']],
  ['base path without a slash', 'server.basePath', /not a path/, ['/card-api', 'card-api #!']],
  ['base path with dots', 'server.basePath', /not a path/, ['/card-api', '/a/../b #!']],
  ['base path of our own', 'server.basePath', /gateway's own/, ['/card-api', '/oauth2/x #!']],
  ['host with brackets', 'server.host', /not a host name/, ['host: 127.0.0.1', 'host: "[::1]" #!']],
  ['host with a leading zero (S14)', 'server.host', /not a host name/, ['host: 127.0.0.1', 'host: 010.0.0.1 #!']],
  [
    'public port in the clear',
    'server.host',
    /without TLS.*dangerouslyAllowPlaintext/,
    ['host: 127.0.0.1', 'host: 0.0.0.0 #!'],
  ],
  ['admin on the public port', 'admin.port', /port of server/, ['port: 9090', 'port: 8080 #!']],
  [
    'workers on the embedded journal',
    'server.workers',
    /embedded journal is for one process; write workers: 1, or use Redis/,
    ['port: 8080', 'port: 8080\n  workers: 2 #!'],
  ],
  ['workers past the limit', 'server.workers', /out of range.*1 to 16/, ['port: 8080', 'port: 8080\n  workers: 17 #!']],
  [
    'a rate of less than one for each worker',
    'clients[0].ratePerSecond',
    /: 2 is less than one for each of the 3 workers.*write at least 3, or fewer workers/,
    ['port: 8080', 'port: 8080\n  workers: 3'],
    ['sqlite:var/gateway.db', 'redis://127.0.0.1'],
    ['product: prepaid', 'product: prepaid\n    ratePerSecond: 2 #!'],
  ],
  [
    'an issuer with less than one place for each worker',
    'issuers[0].maxInFlight',
    /: 3 is less than one for each of the 4 workers/,
    ['port: 8080', 'port: 8080\n  workers: 4'],
    ['sqlite:var/gateway.db', 'redis://127.0.0.1'],
    ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    maxInFlight: 3 #!'],
  ],
  [
    'documentation of a description that is switched off',
    'server.docs',
    /openapi.json, which is switched off/,
    ['port: 8080', 'port: 8080\n  openapi: false\n  docs: true #!'],
  ],
  [
    'trusted proxy that is none',
    'server.trustedProxies[1]',
    /not a network/,
    ['port: 8080', 'port: 8080\n  trustedProxies:\n    - 10.0.0.0/8\n    - proxy #!'],
  ],
  ['journal scheme', 'journal.url', /not the address of a journal/, ['sqlite:var/gateway.db', 'postgres://x #!']],
  [
    'retention below 49 h',
    'journal.retentionHours',
    /out of range.*49/,
    ['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  retentionHours: 48 #!'],
  ],
  [
    'no time at all for amnesia',
    'journal.amnesiaMinutes',
    /out of range.*1 to 1440/,
    ['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  amnesiaMinutes: 0 #!'],
  ],
  [
    'replicas of the embedded journal',
    'journal.replicas',
    /the embedded journal has none.*use Redis/,
    ['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  replicas: 1 #!'],
  ],
  [
    'seal key that is not there',
    'journal.sealKeyFile',
    /is not there/,
    ['sealKeyFile: seal.key', 'sealKeyFile: none.key #!'],
  ],
  [
    'seal key that is a folder',
    'journal.sealKeyFile',
    /not a regular file/,
    ['sealKeyFile: seal.key', 'sealKeyFile: . #!'],
  ],
];

describe('problems of server, admin and journal are named with their line', () => {
  for (const broken of BROKEN) test(broken[0], () => expectProblem(broken));
});
