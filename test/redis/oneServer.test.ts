/**
 * One Redis that fails in every way short of losing data, under traffic through two gateways, with a chaos proxy before
 * it and another one before the issuer. After each fault everything ends, and the books agree with what callers heard.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rig, redisUrlOf } from '../journey/rig.ts';
import type { ChaosProxy, ProxyMode } from '../support/chaosProxy.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { freePort } from '../support/places.ts';
import { type RedisServer, withClient } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Fault, judge, play, SETTING, untilQuiet } from './stage.ts';

type World = {
  readonly issuer: ScriptedIssuer;
  readonly gateways: readonly Gateway[];
  readonly redis: RedisServer;
  /** Before Redis, and before the issuer. */
  readonly store: ChaosProxy;
  readonly bank: ChaosProxy;
};

async function opened(rig: Rig): Promise<World> {
  // What is acknowledged is on disk: a kill loses nothing.
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis({ appendfsync: 'always' })]);
  const [store, bank] = await Promise.all([rig.proxy(redis), rig.proxy(issuer)]);
  const baseUrl = issuer.baseUrl.replace(`:${issuer.port}`, `:${bank.port}`);
  const start = () => rig.gateway({ baseUrl }, { journalUrl: redisUrlOf(store), ...SETTING });
  return { issuer, redis, store, bank, gateways: await Promise.all([start(), start()]) };
}

const through = (proxy: ChaosProxy, mode: ProxyMode | Parameters<ChaosProxy['mode']>[0]): Fault => ({
  begin: () => proxy.mode(mode),
  heal: async () => {
    // What the fault holds back is lost, as on a line that was cut.
    proxy.drop();
    await proxy.mode('pass');
  },
});

const setting = (redis: RedisServer, name: string, bad: string | number, good: string | number): Fault => ({
  begin: () => redis.command('CONFIG', 'SET', name, bad),
  heal: () => redis.command('CONFIG', 'SET', name, good),
});

/** A script that never ends: after some milliseconds the server says BUSY to everybody else. */
function busy(redis: RedisServer): Fault {
  let script: Promise<unknown>;
  return {
    begin: async () => {
      await redis.command('CONFIG', 'SET', 'busy-reply-threshold', 20);
      script = withClient(redis.port, undefined, client => client.call('EVAL', 'while true do end', '0')).catch(
        () => undefined,
      );
      const isBusy = () =>
        redis.command('PING').then(
          () => false,
          (error: unknown) => String(error).includes('BUSY'),
        );
      await waitFor('the server to be busy', isBusy);
    },
    heal: async () => {
      await redis.command('SCRIPT', 'KILL');
      await script;
    },
  };
}

/** Two worlds at once, but the faults of each one after the other. */
const IN_TURN = { concurrent: false, timeout: 120_000 };

type Row = readonly [
  name: string,
  fault: (world: World) => Fault,
  /** What somebody hears while it lasts. */
  heard: readonly string[],
  /** What somebody hears who is interrupted by it, and what nobody hears. */
  more?: { readonly interrupted?: string; readonly unheard?: string },
];

/** Without a claim nothing is forwarded (I12): in these the journal takes none. */
const CLOSED: readonly Row[] = [
  [
    'F47 F54: killed, and started again',
    ({ redis }) => ({ begin: () => redis.kill(), heal: () => redis.restart() }),
    ['503'],
  ],
  ['F47: refuses connections', ({ store }) => through(store, 'refuse'), ['503']],
  ['F49: a black hole', ({ store }) => through(store, 'blackHole'), ['503'], { interrupted: '09' }],
  [
    'F49 F62: frozen, so that all of it comes later',
    ({ redis }) => ({ begin: async () => redis.pause(), heal: async () => redis.resume() }),
    ['503'],
    { interrupted: '09' },
  ],
  ['F49 F62: slower than a call may take', ({ store }) => through(store, { kind: 'delay', ms: 600 }), ['09']],
  ['F62: acts, and every reply is lost', ({ store }) => through(store, 'loseReplies'), ['503']],
  [
    'F52: READONLY, a replica of nobody',
    ({ redis }) => ({
      begin: async () => redis.command('REPLICAOF', '127.0.0.1', await freePort()),
      heal: () => redis.command('REPLICAOF', 'NO', 'ONE'),
    }),
    ['503'],
  ],
  ['F50: too few replicas to write', ({ redis }) => setting(redis, 'min-replicas-to-write', 1, 0), ['503']],
  ['F53: OOM', ({ redis }) => setting(redis, 'maxmemory', 1, 0), ['503']],
  ['F55: BUSY with an endless script', ({ redis }) => busy(redis), ['503']],
];

/** In these calls go on. */
const OPEN: readonly Row[] = [
  ['F49: slow, within the time of a call', ({ store }) => through(store, { kind: 'delay', ms: 40 }), ['00']],
  [
    'F54: SCRIPT FLUSH again and again',
    ({ redis }) => {
      const flush = () => redis.command('SCRIPT', 'FLUSH');
      return { begin: flush, during: flush, heal: flush };
    },
    ['00'],
    { unheard: '503' },
  ],
  ['F14 F15: an issuer that cannot be reached', ({ bank }) => through(bank, 'refuse'), ['91']],
  ['F17: an issuer that is a black hole', ({ bank }) => through(bank, 'blackHole'), ['68']],
  ['F18: an issuer whose replies are lost', ({ bank }) => through(bank, 'loseReplies'), ['68']],
  ['F19: an issuer whose replies end early', ({ bank }) => through(bank, { kind: 'cutReplies', bytes: 200 }), ['68']],
  [
    'F15: an issuer that hears only the beginning',
    ({ bank }) => through(bank, { kind: 'cutRequests', bytes: 300 }),
    ['68'],
  ],
  [
    'F48: replies of the issuer and of Redis are lost at once',
    ({ bank, store }) => {
      const faults = [through(bank, 'loseReplies'), through(store, 'loseReplies')];
      const both = (step: 'begin' | 'heal') => Promise.all(faults.map(fault => fault[step]()));
      return { begin: () => both('begin'), heal: () => both('heal') };
    },
    ['503'],
  ],
];

function rows(cases: readonly Row[], isClosed: boolean): void {
  const rig = new Rig();
  let world: World | undefined;
  beforeAll(async () => {
    world = await opened(rig);
  });
  afterAll(() => rig.end());

  it.for(cases)('%s', IN_TURN, async ([, faultOf, heard, { interrupted, unheard } = {}]) => {
    if (!world) throw new Error('the world did not start');
    const seen = await play(world, faultOf(world));
    expect([...seen.heard]).toEqual(expect.arrayContaining([...heard]));
    if (unheard) expect([...seen.heard]).not.toContain(unheard);
    // I6: what the issuer has answered, and the journal cannot be told, the caller is not told either.
    if (interrupted) expect([...seen.interrupted]).toContain(interrupted);
    if (isClosed) expect(seen.forwarded).toEqual([]);
    await untilQuiet(world);
    await judge(world, seen.traffic);
  });
}

describe.concurrent('I6 I12: Redis takes no claims, and nothing is forwarded', () => rows(CLOSED, true));
describe.concurrent('Redis is slow or forgetful, or the issuer goes astray, and calls go on', () => rows(OPEN, false));
