/**
 * A made-up result of a run with everything in it that a report can show: all conclusions, something that was not
 * measured, histograms, rates and parts.
 */
import { mergeHistograms } from '../../../bench/engine/statistics.ts';
import type { BenchResult, Figures, Histogram, SubjectResult, Verdict } from '../../../bench/results.ts';

const ROUNDS = [1, 2, 3];
const SPREAD = [0.97, 1, 1.04];

const subject = (name: string, what: string, median: Figures, more: Partial<SubjectResult> = {}): SubjectResult => ({
  name,
  what,
  median,
  samples: ROUNDS.map((round, index) => ({
    round,
    figures: Object.fromEntries(
      Object.entries(median).map(([metric, value]) => [metric, value * (SPREAD[index] ?? 1)]),
    ),
    count: 40_000,
    failed: 0,
    flaws: [],
  })),
  ...more,
});

/** Latencies that most requests have, and few exceed. */
const histogramAround = (us: number, tail: number): Histogram =>
  mergeHistograms([
    [
      [us * 0.8, 2_000],
      [us * 0.95, 4_000],
      [us, 4_000],
      [us * 1.2, 800],
      [us * tail, 90],
      [us * tail * 1.5, 9],
    ],
  ]);

const path = (name: string, what: string, perCpuSecond: number, more: Partial<SubjectResult> = {}) =>
  subject(
    name,
    what,
    {
      perCpuSecond,
      perSecond: perCpuSecond * 0.9,
      p50Us: 64e6 / perCpuSecond,
      p99Us: 150e6 / perCpuSecond,
      rssMiB: 180,
    },
    more,
  );

const parts = (whole: number, shares: Readonly<Record<string, number>>) => ({
  cpuParts: Object.entries(shares).map(([name, share]) => ({ name, share, usPerRequest: share * whole })),
});

const ratesOf = (p99: number) => ({
  samples: [],
  rates: [500, 2_000, 4_000, 6_000, 8_000].map((rate, index) => ({
    offeredPerSecond: rate,
    perSecond: rate * (index === 4 ? 0.85 : 1),
    p50Us: 5_200 + index * 300,
    p99Us: p99 * (1 + index ** 2 / 8),
  })),
});

const SUBJECTS: readonly SubjectResult[] = [
  subject('direct', 'Straight to the issuer', { perSecond: 46_000, p50Us: 1_300, p99Us: 2_700 }),
  path(
    'bareNode',
    'Bare node:http + undici proxy',
    33_900,
    parts(29.5, { undici: 0.44, 'Node itself': 0.4, 'the proxy itself': 0.16 }),
  ),
  path('fastifyProxy', 'Bare @fastify/http-proxy', 17_100),
  path('nginx', 'nginx + Lua, same pipeline', 22_300),
  path(
    'bearer',
    'Gateway, bearer, Redis',
    19_900,
    parts(50.2, {
      undici: 0.21,
      '@hono/node-server': 0.14,
      'gateway: journal': 0.13,
      ioredis: 0.12,
      'garbage collector': 0.1,
      'gateway: edge': 0.09,
      'gateway: http': 0.08,
      pino: 0.06,
      'everything else': 0.07,
    }),
  ),
  path(
    'jwe',
    'Gateway, OAuth, JWE both ways, Redis',
    2_710,
    parts(369, { 'thread pool (RSA, files)': 0.72, 'gateway: edge': 0.11, undici: 0.17 }),
  ),
  {
    name: 'sqlite',
    what: 'Gateway, bearer, SQLite',
    samples: [],
    median: {},
    skipped: 'the first answer: status 503 <b>',
  },
  subject(
    'directDelayed',
    'Straight to an issuer of 5 ms',
    { p50Us: 5_400, p99Us: 7_000 },
    { histogram: histogramAround(5_400, 1.3) },
  ),
  subject(
    'bearerDelayed',
    'Gateway, bearer, issuer of 5 ms',
    { p50Us: 6_100, p99Us: 9_400 },
    { histogram: histogramAround(6_100, 1.6) },
  ),
  subject('directRates', 'Straight to the issuer', {}, ratesOf(6_800)),
  subject('bearerRates', 'Gateway, bearer, Redis', {}, ratesOf(8_900)),
  subject('start', 'Gateway, start and idle', { startMs: 310, idleMiB: 108 }),
  subject('rsaPrivate', 'RSA-2048 private operation, bare, one core', { perCpuSecond: 4_590, perSecond: 4_580 }),
];

const verdict = (
  target: string,
  conclusion: Verdict['conclusion'],
  rounds: readonly number[],
  more: Partial<Verdict> = {},
): Verdict => ({
  target,
  how: 'bearer.perCpuSecond / bareNode.perCpuSecond',
  unit: 'ratio',
  smallerIsBetter: false,
  atLeast: 0.55,
  aim: 0.7,
  rounds,
  conclusion,
  note: '',
  ...(rounds[1] === undefined ? {} : { value: rounds[1] }),
  ...more,
});

export const EXAMPLE: BenchResult = {
  startedAt: '2026-02-03T10:20:30.000Z',
  tookSeconds: 612,
  quick: false,
  rounds: 3,
  machine: {
    cpu: 'Example CPU @ 3 GHz',
    cores: 2,
    memoryGiB: 7.8,
    system: 'Linux 6.1',
    loadBefore: 1.4,
    versions: { node: '26.10.0', undici: '8.12.4' },
  },
  method: ['What is measured runs alone on core 1.', '3 rounds, every other one in reverse order.'],
  warnings: ['The machine was busy before the run (load 1.4 on 2 cores): expect noise.'],
  subjects: SUBJECTS,
  verdicts: [
    verdict('bearer path / bare node:http + undici proxy', 'met', [0.57, 0.59, 0.6]),
    verdict('replay / fresh Purchase', 'aim', [1.64, 1.7, 1.71], { atLeast: 1.3, aim: 1.6 }),
    verdict('whole JWE path, one core / bare RSA private operation', 'missed', [0.5, 0.52, 0.53], {
      note: 'as seen',
      subject: 'jwe',
    }),
    verdict('bearer path / nginx + Lua peer', 'noise', [0.8, 0.89, 1.02], {
      atLeast: 0.9,
      aim: 1.15,
      note: 'the rounds differ by ± 0.11, the target is 0.01 away',
    }),
    verdict('start to listening', 'met', [300, 310, 322], {
      unit: 'ms',
      smallerIsBetter: true,
      atLeast: 400,
      aim: 250,
    }),
    verdict('goodput at 5 times capacity / capacity', 'unmeasured', [], {
      atLeast: 0.8,
      aim: 0.95,
      note: 'run npm run x',
    }),
  ],
};
