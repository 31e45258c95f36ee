/**
 * What a whole run shares: secrets, issuers of each kind, which are started when they are first asked for, and Redis, anew
 * for each stand or one for all.
 */
import { readFileSync } from 'node:fs';
import { systemRandom } from '../../src/runtime/random.ts';
import { removeDir, tempDir } from '../../test/support/places.ts';
import { findNeed } from '../../test/support/programs.ts';
import { makeCredentials } from '../peers/credentials.ts';
import { type IssuerKind, startIssuer } from '../peers/issuer.ts';
import { redisIsAvailable, startRedis } from '../peers/redis.ts';
import type { Credentials, Peer, Stop } from '../peers/types.ts';
import { type Cores, chooseCores } from './cores.ts';

export type RedisLent = { readonly url: string; readonly stop: Stop };

export type Surroundings = {
  /** Of this run alone; removed at its end. */
  readonly dir: string;
  readonly cores: Cores;
  readonly credentials: Credentials;
  readonly issuerUrl: (kind: IssuerKind) => Promise<string>;
  /** For one stand. `stop` gives it back. Where there is no Redis, a URL at which nothing answers. */
  readonly redis: (dir: string) => Promise<RedisLent>;
  readonly end: Stop;
};

const NO_REDIS: RedisLent = { url: 'redis://127.0.0.1:1', stop: async () => undefined };
const TASKSET = {
  what: 'taskset',
  names: ['taskset'],
  packages: { 'apt-get': 'util-linux', apk: 'util-linux', dnf: 'util-linux', brew: 'util-linux' },
};

export const coresHere = (): Cores =>
  chooseCores(/^Cpus_allowed_list:\s*(\S+)/m.exec(statusHere())?.[1], findNeed(TASKSET) !== undefined);

function statusHere(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** @param sharedRedis one server for all stands, which live side by side; else each gets one, empty and soon gone. */
export async function makeSurroundings(sharedRedis: boolean): Promise<Surroundings> {
  const dir = tempDir('bench');
  const cores = coresHere();
  const issuers = new Map<IssuerKind, Promise<Peer>>();
  const issuerOf = (kind: IssuerKind): Promise<Peer> => {
    const running = issuers.get(kind) ?? startIssuer(kind, dir, cores.around);
    issuers.set(kind, running);
    return running;
  };
  const hasRedis = (await redisIsAvailable()) === undefined;
  const shared = sharedRedis && hasRedis ? await startRedis(dir, cores.around) : undefined;
  const lend = async (own: string): Promise<RedisLent> => {
    if (shared) return { url: shared.url, stop: async () => undefined };
    return hasRedis ? startRedis(own, cores.around) : NO_REDIS;
  };
  return {
    dir,
    cores,
    credentials: await makeCredentials(dir, systemRandom),
    issuerUrl: async kind => (await issuerOf(kind)).url,
    redis: lend,
    end: async () => {
      await Promise.allSettled([...issuers.values()].map(async issuer => (await issuer).stop()));
      await shared?.stop();
      removeDir(dir);
    },
  };
}
