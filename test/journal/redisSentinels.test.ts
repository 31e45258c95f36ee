/**
 * Sentinels that do not agree: after a switch of the primary some of them go on naming the old one for a while. Nothing
 * is written there, whoever leads the gateway to it.
 */
import { type EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { clientOf, close, connected } from '../../src/journal/redisConnect.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startChaosProxy } from '../support/chaosProxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type Sentinels, startSentinels } from '../support/redisSentinel.ts';
import { waitFor } from '../support/waitFor.ts';
import { claimOf } from './entries.ts';
import { claimFresh, DAY_MS, LANES } from './journalSteps.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const started = async (options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> => {
  const redis = await startRedis(options);
  stops.push(() => redis.stop());
  return redis;
};

const watching = async (redis: RedisServer): Promise<Sentinels> => {
  const sentinels = await startSentinels(redis, 1);
  stops.push(() => sentinels.stop());
  return sentinels;
};

/** A sentinel that knows of a switch to a new primary, one that still names the old one, and the two primaries. */
async function disagreeing() {
  const [old, before] = [await started(), await started()];
  const primary = await started({ replicaOf: before });
  const [behind, knowing] = [await watching(old), await watching(before)];
  await knowing.untilWatching(primary);
  await waitFor('the switch to begin', async () => (await knowing.ask('FAILOVER', knowing.master)) === 'OK');
  const named = async () => String(await knowing.ask('GET-MASTER-ADDR-BY-NAME', knowing.master));
  await waitFor('the switch', async () => (await named()).endsWith(String(primary.port)));
  return { old, primary, behind, knowing };
}

const targetOf = (...sentinels: readonly Sentinels[]) => {
  const nodes = sentinels.flatMap(each => each.nodes);
  return { kind: 'sentinel', name: 'cards', nodes, tls: false, username: undefined, password: undefined } as const;
};
const sizeOf = async (redis: RedisServer) => Number(await redis.command('DBSIZE'));

describe('F50 a connection', () => {
  it('I19 that is told to leave while it looks for the primary comes back all the same', async () => {
    const sentinels = await watching(await started());
    const client = clientOf(targetOf(sentinels), 'test');
    stops.push(async () => close(client));
    await connected(client, 'it', systemClock, 5000);
    client.disconnect(true);
    await waitFor('it to look', () => client.status === 'connecting', { everyMs: 0 });
    client.disconnect(true);
    await waitFor('it to be back', () => client.status === 'ready');
  });

  it('F47 that is closed stays closed', async () => {
    const client = clientOf(targetOf(await watching(await started())), 'test');
    await connected(client, 'it', systemClock, 5000);
    const events: EventEmitter = client;
    const ended = once(events, 'end');
    close(client);
    await ended;
    await new Promise(setImmediate);
    expect(client.status).toBe('end');
  });
});

describe('F50 sentinels that disagree', () => {
  it('I1 lead no gateway to the old primary, where it asks those first that still name it', async () => {
    const { old, primary, behind, knowing } = await disagreeing();
    const target = targetOf(behind, knowing);
    const journal = await createRedisJournal({ target, retentionMs: DAY_MS, onNotice: () => {} });
    stops.push(() => journal.close());
    await claimFresh(journal, claimOf('F50'));
    expect(await sizeOf(old)).toBe(0);
    expect(await sizeOf(primary)).toBeGreaterThan(0);
  });

  it('I1 end what goes on at the old primary as soon as one of them says so', async () => {
    const { old, primary, behind, knowing } = await disagreeing();
    const notices: JournalNotice[] = [];
    const way = await startChaosProxy({ port: knowing.nodes[0]?.port ?? 0 });
    stops.push(() => way.stop());
    await way.mode('refuse');
    const target = targetOf(behind, { ...knowing, nodes: [way] });
    const onNotice = (notice: JournalNotice) => void notices.push(notice);
    const journal = await createRedisJournal({ target, retentionMs: DAY_MS, onNotice });
    stops.push(() => journal.close());
    await claimFresh(journal, claimOf('BEFORE'));
    expect(await sizeOf(old)).toBeGreaterThan(0);
    await way.mode('pass');
    await waitFor('it to be left', async () => {
      await journal.due(LANES);
      return notices.some(({ text }) => text.includes('agreed on another primary'));
    });
    const size = await sizeOf(old);
    await waitFor('the new one', async () => {
      await journal.due(LANES);
      return (await journal.claim(claimOf('NEW'), 'new')).kind === 'done';
    });
    expect(await sizeOf(old)).toBe(size);
    expect(await sizeOf(primary)).toBeGreaterThan(0);
  });

  it('I1 I8 are not gone back with where those that know of the switch fall silent', async () => {
    const { old, primary, behind, knowing } = await disagreeing();
    const way = await startChaosProxy({ port: knowing.nodes[0]?.port ?? 0 });
    stops.push(() => way.stop());
    const target = targetOf(behind, { ...knowing, nodes: [way] });
    const journal = await createRedisJournal({ target, retentionMs: DAY_MS, onNotice: () => {} });
    stops.push(() => journal.close());
    await claimFresh(journal, claimOf('BEFORE'));
    await way.mode('refuse');
    // Connections are lost, too, and come back to where they were.
    await primary.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await waitFor('them to be lost', () => !journal.isUp());
    await waitFor('them to be back', async () => (await journal.due(LANES)).kind === 'done' && journal.isUp());
    await claimFresh(journal, claimOf('AFTER'));
    expect(await sizeOf(old)).toBe(0);
  });

  it('F54 are followed to a primary that they were told to watch anew', async () => {
    const { old, behind, knowing } = await disagreeing();
    const journal = await createRedisJournal({
      ...{ target: targetOf(knowing, behind), retentionMs: DAY_MS, onNotice: () => {} },
    });
    stops.push(() => journal.close());
    await claimFresh(journal, claimOf('BEFORE'));
    await knowing.ask('REMOVE', knowing.master);
    await knowing.ask('MONITOR', knowing.master, old.host, String(old.port), '1');
    await waitFor('it to be followed', async () => {
      await journal.due(LANES);
      return (await sizeOf(old)) > 0;
    });
  });
});
