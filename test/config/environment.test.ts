/** The threads on which private keys work: how many there are, and that each has its copy of the key. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { poolThreads } from '../../src/config/environment.ts';
import { FILES, keySampleWith } from './oauthSample.ts';
import { loadGood } from './sample.ts';

afterEach(() => vi.unstubAllEnvs());

const HERE = new URL('../../src/config/environment.ts', import.meta.url).href;
/** Asks the system how many threads of the pool there are, once it has been used. */
const COUNTING = `
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { settlePool } from '${HERE}';
settlePool(Number(process.argv[1]));
await readFile('/proc/self/stat');
const named = readdirSync('/proc/self/task').map(task => readFileSync('/proc/self/task/' + task + '/comm', 'latin1'));
console.log(named.filter(name => name.startsWith('libuv-worker')).length);
`;

const threadsWith = (cores: number, env: Readonly<Record<string, string>> = {}): number => {
  const args = ['--input-type=module', '-e', COUNTING, String(cores)];
  return Number(execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' }));
};

describe('threads for private keys', () => {
  it.each([
    [undefined, 4],
    ['1', 1],
    ['2', 2],
    ['16', 16],
    ['0', 1],
    ['-3', 1],
    ['many', 1],
    ['4096', 1024],
  ])('are counted as libuv does: UV_THREADPOOL_SIZE=%s', (asked, threads) => {
    expect(poolThreads({ UV_THREADPOOL_SIZE: asked })).toBe(threads);
  });

  it.skipIf(!existsSync('/proc/self/task'))('are as many as cores, two at least, unless it is said otherwise', () => {
    expect([threadsWith(1), threadsWith(3), threadsWith(3, { UV_THREADPOOL_SIZE: '5' })]).toEqual([2, 3, 5]);
  });

  it('have a copy of each key', async () => {
    vi.stubEnv('UV_THREADPOOL_SIZE', '3');
    const { config } = await loadGood(keySampleWith(), {}, FILES);
    const [bank] = config.issuers;
    expect(config.oauth?.decryptionKeys.map(({ keys }) => keys.length)).toEqual([3]);
    expect(bank?.payload.kind === 'encrypted' && bank.payload.openWith.map(({ keys }) => keys.length)).toEqual([3]);
  });
});
