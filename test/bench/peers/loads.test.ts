/**
 * Loads say what the gateway takes: every body is proved by the gateway's own parser, no id comes twice unless that is what
 * the load is for, and prepared messages open to the ids that they were made with.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ID_LENGTH, idOf } from '../../../bench/peers/ids.ts';
import { LOADS, purchaseAround, readLines, requestAt } from '../../../bench/peers/loads.ts';
import { preparePool } from '../../../bench/peers/pool.ts';
import type { Load, World } from '../../../bench/peers/types.ts';
import { apiByName } from '../../../src/catalogue/apis.ts';
import { open, openingKey } from '../../../src/client/crypto.ts';
import { looksDerived } from '../../../src/domain/ids.ts';
import { parseMessage } from '../../../src/edge/parse.ts';
import { writeNew } from '../../../src/keys/keyFiles.ts';
import { makeRsaKey } from '../../../src/keys/make.ts';
import { systemRandom } from '../../../src/runtime/random.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 30, 5);
const PARTICIPANT = '100000';
const BODY = { kind: 'template', ...purchaseAround(PARTICIPANT, new Date(NOW)) } as const;
const LOAD: Load = {
  name: 'test',
  path: '/tranmgr/purchase',
  headers: { 'Content-Type': 'application/json' },
  callers: ['a', 'b', 'c', 'd'].map((token, at) => ({ authorization: `Bearer ${token}`, client: at >> 1 })),
  body: { ...BODY, ids: 'fresh' },
};

const parsed = (body: string) => {
  const row = apiByName('Purchase');
  if (!row) throw new Error('no Purchase');
  return parseMessage(row, Buffer.from(body), {
    participants: new Set([PARTICIPANT]),
    wallMs: NOW,
    retentionHours: 168,
  });
};

describe('a Purchase of the bench', () => {
  it('is one that the gateway takes, of the size that the measurements are about', () => {
    const { body } = requestAt(LOAD, 7, [], NOW);
    expect(parsed(body).header.tranId).toBe(idOf(7));
    expect(body.length).toBeGreaterThan(260);
    expect(body.length).toBeLessThan(320);
  });

  it('has an id of its own, of one length, that is nothing derived', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), number => {
        expect(idOf(number)).toHaveLength(ID_LENGTH);
        expect(looksDerived(idOf(number))).toBe(false);
        // Whatever the number can be read from is no other number's.
        expect(Number(idOf(number))).toBe(number);
      }),
    );
  });
});

describe('requestAt', () => {
  it('goes through the callers in turn, with the time in seconds', () => {
    const requests = [0, 1, 2, 3, 4].map(number => requestAt(LOAD, number, [], NOW + 999));
    expect(requests.map(({ headers }) => headers.Authorization)).toEqual(
      ['a', 'b', 'c', 'd', 'a'].map(token => `Bearer ${token}`),
    );
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/tranmgr/purchase',
      headers: { 'Content-Type': 'application/json', timestamp: String(NOW / 1000) },
    });
  });

  it('replays one Purchase of each client, whichever of its tokens it comes with', () => {
    const load: Load = { ...LOAD, body: { ...BODY, ids: 'replayed' } };
    const bodies = [0, 1, 2, 3, 4, 5].map(number => requestAt(load, number, [], NOW).body);
    expect(new Set(bodies).size).toBe(2);
    expect(bodies[0]).toBe(bodies[1]);
    expect(bodies[0]).toBe(bodies[4]);
    expect(bodies[2]).toBe(bodies[3]);
  });

  it('never gives a prepared message twice: past the last one it throws', () => {
    const load: Load = { ...LOAD, body: { kind: 'pool', file: 'none', count: 2 } };
    expect([0, 1].map(number => requestAt(load, number, ['x', 'y'], NOW).body)).toEqual(['x', 'y']);
    expect(() => requestAt(load, 2, ['x', 'y'], NOW)).toThrow('the load test has no message 2');
  });
});

describe('loads of opaque tokens', () => {
  const credentials = {
    participantId: PARTICIPANT,
    bearerClients: [
      { id: 'one', tokens: ['a', 'b'] },
      { id: 'two', tokens: ['c'] },
    ],
  };

  it.each(['bearer', 'replay'] as const)('%s uses every token, in the name of its client', async name => {
    const world = { credentials } as unknown as World;
    const { callers } = await LOADS[name].build(world);
    expect(callers).toEqual([
      { authorization: 'Bearer a', client: 0 },
      { authorization: 'Bearer b', client: 0 },
      { authorization: 'Bearer c', client: 1 },
    ]);
  });
});

describe('a pool of encrypted messages', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gateway-bench-pool-'));
  const payloadKeyFile = join(dir, 'payload.jwk.json');
  let jwk = '';

  beforeAll(async () => {
    jwk = (await makeRsaKey(2048)).reveal();
    await writeNew(payloadKeyFile, jwk, { random: systemRandom });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('has as many messages as asked for, each with an id of its own', async () => {
    const credentials = { payloadKeyFile } as World['credentials'];
    const body = await preparePool(credentials, dir, 5, id => BODY.before + id + BODY.after);
    const lines = readLines({ ...LOAD, body });
    expect(lines).toHaveLength(5);
    const key = await openingKey(JSON.parse(jwk), 'the key');
    const plain = await Promise.all(lines.map(line => open([key], line)));
    expect(plain.map(text => parsed(text ?? '').header.tranId)).toEqual([0, 1, 2, 3, 4].map(idOf));
  });

  it('is made once: the same messages again for the next start of a peer', async () => {
    const credentials = { payloadKeyFile } as World['credentials'];
    const first = readLines({ ...LOAD, body: await preparePool(credentials, dir, 8, id => id) });
    const again = readLines({ ...LOAD, body: await preparePool(credentials, dir, 8, id => id) });
    expect(again).toEqual(first);
    // A larger one has more than enough.
    const fewer = readLines({ ...LOAD, body: await preparePool(credentials, dir, 7, id => id) });
    expect(fewer).toEqual(first.slice(0, 7));
  });
});
