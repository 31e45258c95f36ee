/**
 * What is measured, one row each: which peer, under which load, before which issuer, and how. The targets name these rows.
 */
import type { IssuerKind } from './peers/issuer.ts';
import type { LoadName } from './peers/loads.ts';
import type { PeerName } from './peers/peers.ts';
import type { PrimitiveName } from './primitives/primitives.ts';

type Common = {
  readonly what: string;
  /** Left out of a quick run. */
  readonly slow?: true;
};

/** A closed loop: as many requests as the peer can take, always as many under way as there are connections. */
export type ClosedRow = Common & {
  readonly kind: 'closed';
  readonly peer: PeerName;
  readonly load: LoadName;
  readonly issuer: IssuerKind;
  readonly connections: number;
  /** Seconds of warm-up where the usual will not do. */
  readonly warmUpSeconds?: number;
  /** Answers that are no approvals are part of it. */
  readonly mayFail?: true;
  /** One more measurement is made under the profiler: in every run, or in full ones. */
  readonly profile?: 'always' | 'full';
  /** It is allowed every core, since threads beside the main one take part in what is looked at. */
  readonly everyCore?: true;
};

/** Open loops at fixed rates, one after the other, for the picture of throughput against latency. */
export type RatesRow = Common & {
  readonly kind: 'rates';
  readonly peer: PeerName;
  readonly load: LoadName;
  readonly issuer: IssuerKind;
  readonly connections: number;
};

/** A start and an idle time. */
export type StartRow = Common & { readonly kind: 'start'; readonly peer: PeerName };

export type OperationRow = Common & { readonly kind: 'operation'; readonly primitive: PrimitiveName };

export type SubjectRow = ClosedRow | RatesRow | StartRow | OperationRow;

/** Enough that a core has always something to do, as in the measurements that the targets come from. */
const FULL = 64;
/** So many that the issuer's 5 ms, and not a full core, decide how long it takes. */
const MODERATE = 40;
/** A main thread is compiled and its heap grown only after some seconds; until then the slowest answers are its own. */
const LONG_WARM_UP_SECONDS = 5;

const closed = (peer: PeerName, load: LoadName = 'bearer') =>
  ({ kind: 'closed', peer, load, issuer: 'steady', connections: FULL }) as const;
const delayed = (peer: PeerName) =>
  ({
    kind: 'closed',
    peer,
    load: 'bearer',
    issuer: 'after5ms',
    connections: MODERATE,
    warmUpSeconds: LONG_WARM_UP_SECONDS,
    everyCore: true,
  }) as const;
const operation = (primitive: PrimitiveName) => ({ kind: 'operation', primitive }) as const;
const rates = (peer: PeerName) =>
  ({ kind: 'rates', peer, load: 'bearer', issuer: 'after5ms', connections: FULL }) as const;

export const SUBJECTS = {
  direct: { ...closed('direct'), what: 'Straight to the issuer' },
  bareNode: { ...closed('bareNode'), what: 'Bare node:http + undici proxy', profile: 'full' },
  bareHono: { ...closed('bareHono'), what: 'Bare Hono + undici proxy', slow: true },
  fastifyProxy: { ...closed('fastifyProxy'), what: 'Bare @fastify/http-proxy' },
  nginx: { ...closed('nginx'), what: 'nginx + Lua, same pipeline' },
  bearer: { ...closed('gatewayRedis'), what: 'Gateway, bearer, Redis', profile: 'always' },
  sqlite: { ...closed('gatewaySqlite'), what: 'Gateway, bearer, SQLite', profile: 'full' },
  jwt: { ...closed('gatewayRedis', 'jwt'), what: 'Gateway, warm JWT, plain, Redis' },
  jwtSqlite: { ...closed('gatewaySqlite', 'jwt'), what: 'Gateway, warm JWT, plain, SQLite', slow: true },
  jwe: { ...closed('gatewayRedis', 'jwe'), what: 'Gateway, JWE both ways, Redis', profile: 'full' },
  jweSqlite: { ...closed('gatewaySqlite', 'jwe'), what: 'Gateway, JWE both ways, SQLite', slow: true },
  replay: { ...closed('gatewayRedis', 'replay'), what: 'Gateway, replays, Redis', profile: 'full' },
  replaySqlite: { ...closed('gatewaySqlite', 'replay'), what: 'Gateway, replays, SQLite', slow: true },
  dropping: {
    ...closed('gatewayRedis'),
    issuer: 'dropping',
    what: 'Gateway, the issuer drops 10 %',
    slow: true,
    mayFail: true,
  },
  droppingWithoutBreaker: {
    ...closed('gatewayWithoutBreaker'),
    issuer: 'dropping',
    what: 'The same without its breaker',
    slow: true,
    mayFail: true,
  },
  directDelayed: { ...delayed('direct'), what: 'Straight to an issuer of 5 ms' },
  nginxDelayed: { ...delayed('nginx'), what: 'nginx + Lua, issuer of 5 ms', slow: true },
  bearerDelayed: { ...delayed('gatewayRedis'), what: 'Gateway, bearer, issuer of 5 ms' },
  directRates: { ...rates('direct'), what: 'Straight to the issuer', slow: true },
  nginxRates: { ...rates('nginx'), what: 'nginx + Lua', slow: true },
  bareNodeRates: { ...rates('bareNode'), what: 'Bare node:http + undici proxy', slow: true },
  bearerRates: { ...rates('gatewayRedis'), what: 'Gateway, bearer, Redis', slow: true },
  start: { kind: 'start', peer: 'gatewayRedis', what: 'Gateway, start and idle' },
  rsa: { ...operation('rsaPrivate'), what: 'RSA-2048 private operation, bare, one core' },
  opensslRsa: { ...operation('opensslRsa'), what: 'openssl speed rsa2048, one core', slow: true },
  opensslRsaTwo: { ...operation('opensslRsaTwo'), what: 'openssl speed rsa2048 -multi 2', slow: true },
  jweOpen: { ...operation('jweOpen'), what: 'JWE open, one core' },
  jweOpenTwo: { ...operation('jweOpenTwo'), what: 'JWE open, one process on two cores', slow: true },
  jweSeal: { ...operation('jweSeal'), what: 'JWE seal, one core', slow: true },
  journalRedis: { ...operation('journalRedis'), what: 'Journal claim + settle, Redis', slow: true },
  journalSqlite: { ...operation('journalSqlite'), what: 'Journal claim + settle, SQLite', slow: true },
  issuerBare: { ...operation('issuerBare'), what: 'Send to an issuer, no breaker', slow: true },
  breaker: { ...operation('breaker'), what: 'Send through the breaker', slow: true },
  breakerFailing: { ...operation('breakerFailing'), what: 'Send through the breaker, every tenth fails', slow: true },
} as const satisfies Record<string, SubjectRow>;

export type SubjectName = keyof typeof SUBJECTS;

/** Rows in the order in which they are measured, with their names. */
export const subjectRows = (): readonly (readonly [SubjectName, SubjectRow])[] =>
  Object.entries(SUBJECTS) as [SubjectName, SubjectRow][];
