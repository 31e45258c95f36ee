/**
 * How calls of scripts leave for Redis: all of one turn of the event loop in one write, and each of them by itself all the
 * same, with a result of its own whatever becomes of the others.
 */
import { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { clientOf, connected, primariesOf, type RedisClient } from '../../src/journal/redisConnect.ts';
import { keysOfShard } from '../../src/journal/redisKeys.ts';
import { runScript, SCRIPTS } from '../../src/journal/redisScripts.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type ChaosProxy, startChaosProxy } from '../support/chaosProxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { targetOf } from './redisTargets.ts';

const CALLS = 20;

let redis: RedisServer;
let proxy: ChaosProxy;
let client: RedisClient;

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startChaosProxy(redis);
  client = clientOf(targetOf(proxy), 'test');
  await connected(client, 'Redis', systemClock, 5000);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  client.disconnect();
  await proxy.stop();
  await redis.stop();
});

const servers = { wordsFor: () => ['', '0'] as const };
const read = (name: string) => runScript({ client, servers }, SCRIPTS.read, [keysOfShard(0).entry(name)], []);
const readMany = () => Promise.all(Array.from({ length: CALLS }, (_, i) => read(`entry-${i}`)));

/** How often something was written to the server from now on: alone, and together. */
const writes = () => {
  const toServer = (spy: { readonly mock: { readonly contexts: readonly unknown[] } }) =>
    spy.mock.contexts.filter(socket => socket instanceof Socket && socket.remotePort === proxy.port).length;
  const [alone, together] = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev')];
  return () => toServer(alone) + toServer(together);
};

it('calls of one turn leave in one write, and each gets its own reply', async () => {
  await read('the script is known from now on');
  const written = writes();
  const replies = await readMany();
  expect(replies).toHaveLength(CALLS);
  expect(replies.every(reply => reply.kind === 'done')).toBe(true);
  expect(written()).toBe(1);
});

it('a call that stands alone does not wait for others', async () => {
  const written = writes();
  expect((await read('first')).kind).toBe('done');
  expect((await read('second')).kind).toBe('done');
  expect(written()).toBe(2);
});

it('F51 where the connection is lost before the turn ends, each call says that it may have arrived', async () => {
  const calls = readMany();
  for (const server of primariesOf(client)) server.stream.destroy();
  // They were handed over, and what a socket has taken nobody can call back.
  expect((await calls).map(({ kind }) => kind)).toEqual(Array.from({ length: CALLS }, () => 'unsure'));
});
