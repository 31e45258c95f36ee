/**
 * The only place that looks at the process's environment: what it says about where the configuration is, and how many
 * threads there are to work with private keys.
 */
import { availableParallelism } from 'node:os';
import type { Env } from './substitute.ts';

/** The environment of this process. */
export const environment: Env = process.env;

/** What libuv takes where it is told nothing, and at most. */
const POOL_THREADS = { usual: 4, most: 1024 } as const;
/** Of two, a slow look-up of a name takes one (libuv gives such work half of its threads), and keys keep the other. */
const POOL_THREADS_LEAST = 2;

/**
 * Gives libuv's pool as many threads as there are cores, unless UV_THREADPOOL_SIZE says otherwise: private keys are all
 * that keeps it busy, and with more threads than cores they are slower. Works until something first uses the pool, so it
 * comes before everything else; where Node itself has used it, there are four, which is as correct.
 */
export const settlePool = (cores: number = availableParallelism()): void => {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(cores, POOL_THREADS_LEAST));
};

/** How many threads libuv's pool has. */
export const poolThreads = (env: Env): number => {
  const asked = env.UV_THREADPOOL_SIZE;
  if (asked === undefined) return POOL_THREADS.usual;
  return Math.min(Math.max(Number.parseInt(asked, 10) || 1, 1), POOL_THREADS.most);
};

const DEFAULT_FILE = 'config/sandbox.yaml';

/**
 * The configuration file: `--config FILE` (or `--config=FILE`), else `GATEWAY_CONFIG`, else that of the sandbox. Undefined
 * when `--config` stands there without a file.
 */
export const configFile = (args: readonly string[], env: Env): string | undefined => {
  const joined = args.find(arg => arg.startsWith('--config='));
  if (joined !== undefined) return joined.slice('--config='.length) || undefined;
  const at = args.indexOf('--config');
  if (at >= 0) return args[at + 1];
  return env.GATEWAY_CONFIG || DEFAULT_FILE;
};

export type SandboxPlaces = { readonly dir: string; readonly issuerPort: number };

const ISSUER_PORT_DEFAULT = 7070;

/** Where `npm start` and `npm run call` find the sandbox. Throws where the port is not a number from 0 to 65535. */
export const sandboxPlaces = (env: Env): SandboxPlaces => {
  const issuerPort = Number(env.SANDBOX_ISSUER_PORT || ISSUER_PORT_DEFAULT);
  if (!Number.isInteger(issuerPort) || issuerPort < 0 || issuerPort > 65_535) {
    throw new Error('SANDBOX_ISSUER_PORT must be a port from 0 to 65535; 0 takes a free one');
  }
  return { dir: env.SANDBOX_DIR || 'var/sandbox', issuerPort };
};
