/**
 * The peers as they are measured: each is started, answers its loads rightly, and is gone afterwards. What the one on nginx
 * claims to do, it does.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLoad } from '../../../bench/peers/check.ts';
import { makeCredentials } from '../../../bench/peers/credentials.ts';
import { startIssuer } from '../../../bench/peers/issuer.ts';
import { type LoadName, loadRow } from '../../../bench/peers/loads.ts';
import { nginxIsAvailable } from '../../../bench/peers/nginx.ts';
import { type PeerName, peerRow } from '../../../bench/peers/peers.ts';
import { startRedis } from '../../../bench/peers/redis.ts';
import type { Load, Peer, Pin, World } from '../../../bench/peers/types.ts';
import { systemRandom } from '../../../src/runtime/random.ts';

const here: Pin = command => command;
const dir = mkdtempSync(join(tmpdir(), 'gateway-bench-peers-'));
const noNginx = await nginxIsAvailable();
const running: Peer[] = [];
let world: World;

beforeAll(async () => {
  const credentials = await makeCredentials(dir, systemRandom);
  const issuer = await startIssuer('steady', dir, here);
  const redis = await startRedis(dir, here);
  running.push(issuer, redis);
  world = { issuerUrl: issuer.url, redisUrl: redis.url, dir, pin: here, credentials };
});
afterAll(async () => {
  for (const { stop } of running) await stop();
  rmSync(dir, { recursive: true });
});

async function withPeer(name: PeerName, use: (peer: Peer) => Promise<void>): Promise<void> {
  const row = peerRow(name);
  const peer = await row.start(world);
  try {
    await use(peer);
  } finally {
    await peer.stop();
  }
  // Nothing answers there any more, but for the issuer, which goes on.
  if (name !== 'direct') await expect(fetch(peer.url)).rejects.toThrow();
}

/** A pool of three: one for the check, and none is sent twice. */
const built = (name: LoadName, peer: Peer): Promise<Load> => loadRow(name).build(world, peer, 3);

const checked = async (peer: Peer, name: LoadName) => checkLoad(peer, await built(name, peer), world.credentials);

describe('peers that only forward', () => {
  it.each(['direct', 'bareNode', 'bareHono', 'fastifyProxy'] as const)('%s', async name => {
    await withPeer(name, async peer => expect(await checked(peer, 'bearer')).toBeUndefined());
  });
});

describe('the gateway', () => {
  it.each(['gatewayRedis', 'gatewaySqlite'] as const)('%s answers every load, with its checks on', async journal => {
    await withPeer(journal, async peer => {
      for (const name of ['bearer', 'replay', 'jwt', 'jwe'] as const) {
        expect([name, await checked(peer, name)]).toEqual([name, undefined]);
      }
      const metrics = await fetch(`${peer.adminUrl}/metrics`).then(response => response.text());
      expect(metrics).toMatch(/gateway_requests_total\{api="Purchase",outcome="approved",code="00"\} 4\n/);
      const load = await built('bearer', peer);
      const stranger = { ...load, callers: [{ authorization: 'Bearer of-nobody', client: 0 }] };
      expect(await checkLoad(peer, stranger, world.credentials)).toMatch(/^status 403: /);
    });
  });
});

describe.skipIf(noNginx !== undefined)('the peer on nginx', () => {
  const send = async (peer: Peer, changes: Record<string, unknown>, authorization?: string) => {
    const load = await built('bearer', peer);
    if (load.body.kind !== 'template') throw new Error('a template was expected');
    const message = JSON.parse(`${load.body.before}${load.body.after}`);
    const response = await fetch(peer.url + load.path, {
      method: 'POST',
      headers: { ...load.headers, Authorization: authorization ?? load.callers[0]?.authorization ?? '' },
      body: JSON.stringify({ ...message, ...changes }),
    });
    const { responseCode } = (await response.json()) as { readonly responseCode: string };
    return [response.status, responseCode, response.headers.get('idempotent-replayed')];
  };

  it('checks tokens and messages, claims, forwards, completes, and knows a repeat', async () => {
    await withPeer('nginx', async peer => {
      const tranId = randomUUID();
      expect(await checked(peer, 'bearer')).toBeUndefined();
      expect(await send(peer, { tranId: tranId.slice(0, 32) })).toEqual([200, '00', null]);
      expect(await send(peer, { tranId: tranId.slice(0, 32) })).toEqual([200, '00', 'true']);
      expect(await send(peer, { tranId: tranId.slice(0, 32), tranAmount: '9.99' })).toEqual([400, '94', null]);
      expect(await send(peer, { tranId: 'a b' })).toEqual([400, '30', null]);
      expect(await send(peer, { participantId: '100001' })).toEqual([400, '30', null]);
      expect(await send(peer, {}, 'Bearer of-nobody')).toEqual([403, '57', null]);
    });
  });
});
