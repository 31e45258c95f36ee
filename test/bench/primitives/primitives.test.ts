/** Primitives: what OpenSSL prints is read, and every operation does what it says, here once instead of for seconds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCredentials } from '../../../bench/peers/credentials.ts';
import { opensslCommand, parseOpensslSpeed } from '../../../bench/primitives/openssl.ts';
import { type Input, OPERATIONS, type Operation, type OperationName } from '../../../bench/primitives/operations.ts';
import { doFor } from '../../../bench/primitives/run.ts';
import { systemRandom } from '../../../src/runtime/random.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

describe('openssl speed', () => {
  const OLD = `
version: 3.0.19
                  sign    verify    sign/s verify/s
rsa 2048 bits 0.000214s 0.000006s   4674.0 164123.5
`;
  const NEW = `
version: 3.5.8
                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s
rsa  2048 bits 0.000108s 0.000003s 0.000004s 0.000109s   9272.5 322580.1 282485.9   9174.3
`;

  it.each([
    ['3.0', OLD, 4674],
    ['3.5, which has more columns', NEW, 9272.5],
  ])('of version %s', (_, output, rate) => {
    expect(parseOpensslSpeed(output)).toBe(rate);
  });

  it.each(['', 'rsa 2048 bits', 'rsa 4096 bits 0.001s 0.001s 700.0 9000.0', OLD.replace('4674.0', 'none')])(
    'is not made up from %j',
    output => {
      expect(() => parseOpensslSpeed(output)).toThrow('openssl speed told nothing that can be read');
    },
  );

  it('is asked for whole seconds, and for several processes where there are to be several', () => {
    expect(opensslCommand(0.2, 1).join(' ')).toBe('openssl speed -seconds 1 rsa2048');
    expect(opensslCommand(3, 2).join(' ')).toBe('openssl speed -seconds 3 -multi 2 rsa2048');
  });
});

describe('operations', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gateway-bench-operations-'));
  let redis: RedisServer;
  let input: Input;

  beforeAll(async () => {
    redis = await startRedis();
    const { payloadKeyFile, oauthClients } = await makeCredentials(dir, systemRandom);
    const clientKeysFile = oauthClients.find(({ payload }) => payload === 'encrypted')?.keysFile ?? '';
    input = { payloadKeyFile, clientKeysFile, redisUrl: redis.url, dir };
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(dir, { recursive: true });
  });

  const names = Object.keys(OPERATIONS) as OperationName[];

  it.each(names)('%s can be done again and again', async name => {
    const operation: Operation = await OPERATIONS[name](input);
    try {
      for (let times = 0; times < 3; times += 1) expect(await operation.step()).not.toBeInstanceOf(Error);
    } finally {
      await operation.end?.();
    }
  });

  it('are counted, however many are under way at a time', async () => {
    let done = 0;
    const operation = {
      inFlight: 3,
      step: async () => {
        done += 1;
      },
    };
    const { perSecond, perCpuSecond } = await doFor(operation, 5);
    expect(done).toBeGreaterThan(0);
    expect(perSecond).toBeGreaterThan(0);
    expect(perCpuSecond).toBeGreaterThan(0);
  });
});
