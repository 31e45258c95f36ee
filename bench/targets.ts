/**
 * What was promised of the speed, one row each: which figures of which subjects make it, what is asked at least, and what
 * is aimed at. What another command measures is here too, with the name of that command.
 */
import type { Metric } from './results.ts';
import type { SubjectName } from './subjects.ts';

type Common = {
  readonly what: string;
  readonly atLeast: number;
  readonly aim: number;
  readonly smallerIsBetter?: true;
};

/** One subject's figure over another's, round by round. */
export type RatioRow = Common & {
  readonly kind: 'ratio';
  readonly of: readonly [SubjectName, Metric];
  readonly to: readonly [SubjectName, Metric];
};

/** A figure as it is. */
export type FigureRow = Common & {
  readonly kind: 'figure';
  readonly of: readonly [SubjectName, Metric];
  readonly unit: 'ms' | 'MiB';
};

/** What that command leaves behind is read from the folder of results (`other.ts`). */
export type CommandRow = Common & {
  readonly kind: 'command';
  readonly command: string;
  readonly unit: 'ratio' | '%';
};

export type TargetRow = RatioRow | FigureRow | CommandRow;

const perCpu = (of: SubjectName, to: SubjectName) =>
  ({ kind: 'ratio', of: [of, 'perCpuSecond'], to: [to, 'perCpuSecond'] }) as const;

/** Named, so that another command can say what it has measured. */
export const TARGETS = {
  bareNode: {
    what: 'bearer path / bare node:http + undici proxy',
    ...perCpu('bearer', 'bareNode'),
    atLeast: 0.55,
    aim: 0.7,
  },
  nginx: { what: 'bearer path / nginx + Lua peer', ...perCpu('bearer', 'nginx'), atLeast: 0.9, aim: 1.15 },
  fastify: {
    what: 'bearer path / bare @fastify/http-proxy',
    ...perCpu('bearer', 'fastifyProxy'),
    atLeast: 1.1,
    aim: 1.3,
  },
  jwt: { what: 'warm JWT / opaque bearer (plain payload)', ...perCpu('jwt', 'bearer'), atLeast: 0.95, aim: 0.98 },
  jweOpen: {
    what: 'JWE open / bare RSA private operation, one core',
    ...perCpu('jweOpen', 'rsa'),
    atLeast: 0.9,
    aim: 0.95,
  },
  jweOpenTwoCores: {
    what: 'JWE open, one process on two cores / openssl speed -multi 2',
    kind: 'ratio',
    of: ['jweOpenTwo', 'perSecond'],
    to: ['opensslRsaTwo', 'perSecond'],
    atLeast: 0.8,
    aim: 0.86,
  },
  jwePath: {
    what: 'whole JWE path, one core / bare RSA private operation',
    ...perCpu('jwe', 'rsa'),
    atLeast: 0.55,
    aim: 0.65,
  },
  addedLatency: {
    what: 'p99 through the gateway / p99 straight to a 5 ms issuer, 40 connections',
    kind: 'ratio',
    of: ['bearerDelayed', 'p99Us'],
    to: ['directDelayed', 'p99Us'],
    smallerIsBetter: true,
    atLeast: 1.6,
    aim: 1.3,
  },
  dropping: {
    what: 'issuer dropping 10 %, with breaker / without',
    ...perCpu('dropping', 'droppingWithoutBreaker'),
    atLeast: 0.95,
    aim: 0.99,
  },
  replay: { what: 'replay / fresh Purchase', ...perCpu('replay', 'bearer'), atLeast: 1.3, aim: 1.6 },
  sqlite: { what: 'SQLite journal, durable / Redis journal', ...perCpu('sqlite', 'bearer'), atLeast: 0.5, aim: 0.8 },
  sqliteRate: {
    what: 'the same in answers per second, waiting for the disk included',
    kind: 'ratio',
    of: ['sqlite', 'perSecond'],
    to: ['bearer', 'perSecond'],
    atLeast: 0.5,
    aim: 0.8,
  },
  goodput: {
    what: 'goodput at 5 times capacity / capacity',
    kind: 'command',
    command: 'npm run overload',
    unit: 'ratio',
    atLeast: 0.8,
    aim: 0.95,
  },
  soak: {
    what: 'resident memory, growth from minute 2 to minute 12 of a soak',
    kind: 'command',
    command: 'npm run soak -- --calm',
    unit: '%',
    smallerIsBetter: true,
    atLeast: 3,
    aim: 1,
  },
  start: {
    what: 'start to listening',
    kind: 'figure',
    of: ['start', 'startMs'],
    unit: 'ms',
    smallerIsBetter: true,
    atLeast: 400,
    aim: 250,
  },
  idleMemory: {
    what: 'idle memory',
    kind: 'figure',
    of: ['start', 'idleMiB'],
    unit: 'MiB',
    smallerIsBetter: true,
    atLeast: 130,
    aim: 100,
  },
} as const satisfies Record<string, TargetRow>;

export type TargetName = keyof typeof TARGETS;

/** Rows in the order in which they are reported, with their names. */
export const targetRows = (): readonly (readonly [TargetName, TargetRow])[] =>
  Object.entries(TARGETS) as [TargetName, TargetRow][];
