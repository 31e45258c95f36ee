/**
 * Opens what a journal in Redis is made of: its connections, and those who watch over them. Nothing is given out before
 * Redis answers, is what a journal can be trusted to, and is the primary that its sentinels name.
 */
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { NoticeSink } from './notice.ts';
import { inspectServer, type ServerFindings } from './redisChecks.ts';
import {
  clientOf,
  close,
  connected,
  placeOf,
  primariesOf,
  type RedisClient,
  type RedisTarget,
} from './redisConnect.ts';
import { RedisGuard } from './redisGuard.ts';
import { RedisSentinels } from './redisSentinels.ts';
import { RedisServers } from './redisServers.ts';

/** A gateway that starts together with its Redis gives it this long; then its supervisor should see that it failed. */
const START_WITHIN_MS = 10_000;
const INSPECT_AGAIN_MS = 100;

export type RedisParts = {
  /** For the journey. */
  readonly hot: RedisClient;
  /** For the search for due work. */
  readonly background: RedisClient;
  /** For waiting until replicas have what was written. */
  readonly confirming: RedisClient;
  readonly servers: RedisServers;
  readonly sentinels: RedisSentinels | undefined;
  readonly guard: RedisGuard;
  readonly place: string;
};

export type OpenOptions = {
  readonly target: RedisTarget;
  readonly onNotice: NoticeSink;
  readonly clock: Clock;
  /** How long to wait at start for Redis to answer. */
  readonly startWithinMs?: number;
};

/** @throws Error that says what, where and how to mend it: unreachable, evicting, a replica, or too old. */
export async function openRedis(options: OpenOptions): Promise<RedisParts> {
  const { target, onNotice, clock, startWithinMs = START_WITHIN_MS } = options;
  const place = placeOf(target);
  const believed = () => sentinels?.believed;
  const hot = clientOf(target, 'journey', believed);
  const background = clientOf(target, 'background', believed);
  const confirming = clientOf(target, 'replicas', believed);
  const clients = [hot, background, confirming];
  const servers = new RedisServers([hot, background]);
  const sentinels =
    target.kind === 'sentinel' ? new RedisSentinels({ target, clients, place, clock, onNotice }) : undefined;
  try {
    // They are asked from the start: where they lead to may change until it is connected.
    const isLed = sentinels?.begin(startWithinMs) ?? true;
    await Promise.all(clients.map(client => connected(client, place, clock, startWithinMs)));
    if (!(await isLed)) throw new Error(`${place} is not found: no sentinel names the server that was connected`);
    for (const server of primariesOf(background)) {
      const { refusal, warnings } = await inspected(server, clock, startWithinMs);
      if (refusal !== undefined) throw new Error(refusal);
      for (const warning of warnings) onNotice(warning);
    }
  } catch (error) {
    sentinels?.close();
    clients.forEach(close);
    throw error;
  }
  const guard = new RedisGuard(hot, background, { place, onNotice });
  return { hot, background, confirming, servers, sentinels, guard, place };
}

/** A busy server may be late with a single answer; that is no reason not to start. */
async function inspected(
  server: Parameters<typeof inspectServer>[0],
  clock: Clock,
  withinMs: number,
): Promise<ServerFindings> {
  const until = Deadline.in(clock, withinMs);
  for (;;) {
    try {
      return await inspectServer(server);
    } catch (error) {
      if (until.leftMs() === 0) throw error;
      await clock.sleep(INSPECT_AGAIN_MS);
    }
  }
}
