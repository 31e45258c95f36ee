/**
 * Several gateways on one journal, a single Redis and a Cluster: whichever of them a copy of a call reaches, the issuer
 * sees the call once and all callers hear the same.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { startRedisCluster } from '../support/redisCluster.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { codeOf, learn, payment, Rig, untilNothingOwed } from './rig.ts';
import { undosOf } from './support.ts';

const COPIES = 50;
const PROCESSES = 3;
/** Both journals at once, but their tests one after the other: the last one kills. */
const IN_TURN = { concurrent: false };

const redisUrl = async (rig: Rig) => (await rig.redis()).url;

async function clusterUrl(rig: Rig) {
  const cluster = await startRedisCluster();
  rig.atEnd(() => cluster.stop());
  return cluster.url;
}

/** What all copies must have in common: everything but the caller's own date and time. */
const business = ({ status, body: { tranDate, tranTime, ...rest } }: Answer) => `${status} ${JSON.stringify(rest)}`;

const replays = (answers: readonly Answer[]) =>
  answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length;

type World = { issuer: ScriptedIssuer; gateway(no: number): Gateway };

/** Copies of one purchase, all at once, spread over the gateways. */
const copies = (world: World, tranId: string, card: string) =>
  Promise.all(
    Array.from({ length: COPIES }, (_, no) => call(world.gateway(no), 'Purchase', payment(card), { tranId })),
  );

describe.concurrent.each([
  ['one Redis', redisUrl],
  ['a Redis Cluster of three primaries', clusterUrl],
])('three gateways on %s', (_, journal) => {
  const rig = new Rig();
  let gateways: Gateway[] = [];
  const world: Partial<World> = {
    gateway: no => {
      const found = gateways[no % PROCESSES];
      if (!found) throw new Error('there is no such gateway');
      return found;
    },
  };
  beforeAll(async () => {
    const issuer = await rig.issuer();
    world.issuer = issuer;
    const journalUrl = await journal(rig);
    // 150 calls at once take their time.
    const options = { journalUrl, client: { budgetMs: 2500 }, issuer: { timeoutMs: 2000, maxProcessingMs: 2000 } };
    gateways = await Promise.all(Array.from({ length: PROCESSES }, () => rig.gateway(issuer, options)));
  });
  afterAll(() => rig.end());

  sameCallManyTimes(world as World);
  manyCallsAtOnce(world as World);
});

function sameCallManyTimes(world: World): void {
  it('F4 F8 I1 I3: 50 copies of one purchase at once are one forward and 50 equal answers', IN_TURN, async () => {
    const tranId = newTranId();
    world.issuer.script('Purchase', { kind: 'late', ms: 100 }, { tranId });
    const answers = await copies(world, tranId, 'approved');
    expect(new Set(answers.map(business)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ responseCode: '00', tranId, availableBalance: '987.50' });
    expect(replays(answers)).toBe(COPIES - 1);
    expect(world.issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    expect(world.issuer.balanceOf('approved')).toBe('987.50');
  });

  it('F4 F29 I3: 50 copies of a purchase that is declined hear one decline', IN_TURN, async () => {
    const tranId = newTranId();
    world.issuer.script('Purchase', { kind: 'decline', code: '51' }, { tranId });
    const answers = await copies(world, tranId, 'declined');
    expect(new Set(answers.map(business)).size).toBe(1);
    expect(answers[0]?.body.responseCode).toBe('51');
    expect(replays(answers)).toBe(COPIES - 1);
    expect(world.issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
  });

  it('F4 I1 I5: 50 copies of a purchase in doubt hear 68, and it is undone once', IN_TURN, async () => {
    const tranId = newTranId();
    world.issuer.script('Purchase', { kind: 'resetAfterEffect' }, { tranId });
    const answers = await copies(world, tranId, 'doubtful');
    expect(new Set(answers.map(business)).size).toBe(1);
    expect(answers[0]?.body.responseCode).toBe('68');
    expect(replays(answers)).toBe(COPIES - 1);
    await untilNothingOwed(world.gateway(0));
    expect(world.issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    expect(undosOf(world.issuer, tranId)).toHaveLength(1);
    expect(world.issuer.balanceOf('doubtful')).toBe('1000.00');
  });

  it(
    'F5 F8: a retry at every other gateway replays the answer, and other content is 400 with 94',
    IN_TURN,
    async () => {
      const first = await call(world.gateway(0), 'Purchase', payment('again'));
      const { tranId } = first;
      for (const no of [1, 2]) {
        const again = await call(world.gateway(no), 'Purchase', payment('again'), { tranId });
        expect(again.headers['idempotent-replayed']).toBe('true');
        expect(business(again)).toBe(business(first));
      }
      const other = await call(world.gateway(1), 'Purchase', payment('again', '12.51'), { tranId });
      expect([other.status, other.body.responseCode]).toEqual([400, '94']);
      expect(world.issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    },
  );
}

function manyCallsAtOnce(world: World): void {
  it('F36 F37 I8: 50 Reversals of one purchase at once, each with its own id, are one undo', IN_TURN, async () => {
    const { tranId } = await call(world.gateway(0), 'Purchase', payment('reversed'));
    const fields = { ...payment('reversed'), originalTranId: tranId };
    const answers = await Promise.all(
      Array.from({ length: COPIES }, (_, no) => call(world.gateway(no), 'Reversal', fields, { tranId: newTranId() })),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${String(body.responseCode)}`))).toEqual(
      new Set(['200 00']),
    );
    await untilNothingOwed(world.gateway(1));
    expect(new Set(undosOf(world.issuer, tranId).map(undo => undo.tranId)).size).toBe(1);
    expect(world.issuer.balanceOf('reversed')).toBe('1000.00');
  });

  it('F10 I1 I13: 150 different purchases of one card at once add up', IN_TURN, async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, no) => call(world.gateway(no), 'Purchase', payment('busy', '1.01'))),
    );
    expect(answers.map(({ body }) => body.responseCode)).toEqual(answers.map(() => '00'));
    expect(world.issuer.balanceOf('busy')).toBe('848.50');
  });

  it('F64 F74 I5: one is killed with a purchase at the issuer, and the others reverse it once', IN_TURN, async () => {
    const tranId = newTranId();
    world.issuer.script('Purchase', { kind: 'hangAfterEffect' }, { tranId });
    const told = codeOf(call(world.gateway(2), 'Purchase', payment('killed'), { tranId }));
    await world.issuer.waitFor('the purchase', () => world.issuer.effectsOf(tranId).length === 1);
    await world.gateway(2).kill9();
    expect(await told).toBe('lost');
    await world.issuer.waitFor('the undo', () => world.issuer.balanceOf('killed') === '1000.00');
    const answer = await learn(world.gateway(0), 'Purchase', payment('killed'), { tranId });
    expect(answer.body.responseCode).toBe('68');
    await untilNothingOwed(world.gateway(1));
    expect(undosOf(world.issuer, tranId)).toHaveLength(1);
  });
}
