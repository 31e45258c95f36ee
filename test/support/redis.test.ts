/**
 * The test servers themselves: that they are private, that they can be killed, frozen and brought back, and that nothing
 * outlives the process that started it.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from './children.ts';
import { startRedis } from './redis.ts';
import { findRedisServer } from './redisBinary.ts';
import { startRedisCluster } from './redisCluster.ts';
import { waitFor } from './waitFor.ts';

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startRedis', () => {
  it('starts servers that know nothing of each other', async () => {
    const [one, two] = await Promise.all([startRedis(), startRedis()]);
    await one.command('SET', 'k', 'v');
    expect(await two.command('GET', 'k')).toBeNull();
    expect(one.url).toBe(`redis://127.0.0.1:${one.port}`);
    await Promise.all([one.stop(), two.stop()]);
    expect(isRunning(one.pid)).toBe(false);
  });

  it('keeps its port and what was on disk over kill and restart', async () => {
    const redis = await startRedis({ appendfsync: 'always' });
    await redis.command('SET', 'k', 'v');
    const { pid } = redis;
    await redis.kill();
    await expect(redis.command('PING')).rejects.toThrow();
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(await redis.command('GET', 'k')).toBe('v');
    await redis.stop();
  });

  it('forgets over a kill without persistence', async () => {
    const redis = await startRedis({ appendonly: 'no' });
    await redis.command('SET', 'k', 'v');
    await redis.restart();
    expect(await redis.command('GET', 'k')).toBeNull();
    await redis.stop();
  });

  it('answers late after pause and resume', async () => {
    const redis = await startRedis();
    redis.pause();
    let answered = false;
    const answer = redis.command('PING').then(reply => {
      answered = true;
      return reply;
    });
    await expect(waitFor('an answer', () => answered, { timeoutMs: 200 })).rejects.toThrow(/waited 200 ms/);
    redis.resume();
    expect(await answer).toBe('PONG');
    await redis.stop();
  });

  it('takes options: eviction, password, a primary to follow', async () => {
    const primary = await startRedis({ password: 'pw-for-test', maxmemoryPolicy: 'allkeys-lru' });
    expect(await primary.command('CONFIG', 'GET', 'maxmemory-policy')).toContain('allkeys-lru');
    const replica = await startRedis({ password: 'pw-for-test', replicaOf: primary });
    await waitFor('the link', async () => String(await replica.command('ROLE')).includes('connected'));
    await primary.command('SET', 'k', 'v');
    await waitFor('the copy', async () => (await replica.command('GET', 'k')) === 'v');
    await replica.command('REPLICAOF', 'NO', 'ONE');
    expect(String(await replica.command('ROLE'))).toContain('master');
    await Promise.all([primary.stop(), replica.stop()]);
  });

  it('shows its whole content as raw bytes and can be emptied', async () => {
    const redis = await startRedis();
    await redis.command('SET', 'string', '4220867530903174');
    await redis.command('HSET', 'hash', 'field', 'in-hash');
    await redis.command('ZADD', 'zset', 17, 'in-zset');
    await redis.command('SADD', 'set', 'in-set');
    await redis.command('RPUSH', 'list', 'in-list');
    await redis.command('XADD', 'stream', '*', 'field', 'in-stream');
    const content = (await redis.content()).toString('latin1');
    for (const value of ['4220867530903174', 'in-hash', 'in-zset', 'in-set', 'in-list', 'in-stream', 'stream']) {
      expect(content).toContain(value);
    }
    await redis.flush();
    expect((await redis.content()).length).toBe(0);
    await redis.stop();
  });

  it('ends with the test process, even after kill -9 and even when frozen', async () => {
    const script = `
      const { startRedis } = await import('${new URL('./redis.ts', import.meta.url).href}');
      const redis = await startRedis();
      const dir = (await redis.command('CONFIG', 'GET', 'dir'))[1];
      redis.pause();
      console.log(redis.pid + ' ' + dir);
      setInterval(() => {}, 1000);`;
    const parent = await startChild(process.execPath, ['--input-type=module', '-e', script]);
    const printed = await waitFor('its pid', () => /^(\d+) (.+)\n/.exec(parent.stdout()));
    const [pid, dir] = [Number(printed[1]), String(printed[2])];
    expect([isRunning(pid), existsSync(dir)]).toEqual([true, true]);
    await parent.kill();
    await waitFor('the end of the server and of its folder', () => !isRunning(pid) && !existsSync(dir));
  });
});

describe('startRedisCluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  it('serves all slots from three primaries', async () => {
    const slots = await cluster.nodes[0]?.command('CLUSTER', 'SLOTS');
    expect(slots).toHaveLength(3);
    expect(cluster.url).toMatch(/^redis\+cluster:\/\/127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/);
  });

  it('refuses a key that is another node’s, so that routing is really tested', async () => {
    const answers = await Promise.allSettled(cluster.nodes.map(node => node.command('SET', 'k', 'v')));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await cluster.content()).toString()).toContain('k');
    await cluster.flush();
    expect((await cluster.content()).length).toBe(0);
  });
});

describe('findRedisServer', () => {
  it('finds none on a path without one, and one where the tests run', () => {
    expect(findRedisServer('/nowhere:/nor/here')).toBeUndefined();
    expect(findRedisServer()).toMatch(/(redis|valkey)-server$/);
  });
});
