/**
 * The Redis server that the tests run against, started privately by each of them. `npm test` runs this file first, so
 * that a fresh machine needs no other step: without a server nothing can be tested, and it ends there.
 */
import { findNeed, type Need, pathOfNeed, provideNeed } from './programs.ts';

const REDIS: Need = {
  what: 'a Redis server',
  names: ['redis-server', 'valkey-server'],
  packages: { 'apt-get': 'redis-server', apk: 'redis', dnf: 'redis', brew: 'redis' },
};

/** The path of a Redis or Valkey server; undefined where there is none. */
export const findRedisServer = (path?: string): string | undefined => findNeed(REDIS, path);

/** The path of a Redis or Valkey server. @throws Error that says what to install. */
export const redisServerPath = (): string => pathOfNeed(REDIS);

if (import.meta.main && !provideNeed(REDIS)) process.exitCode = 1;
