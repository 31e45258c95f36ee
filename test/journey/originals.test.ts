/**
 * Messages that name an original: what stands against them decides before anything is sent. A Reversal may come before
 * its original, or be wrong about it; a Refund, a release, a completion or an increment has to wait while the original
 * is open, and is refused where it does not stand.
 */
import { describe, expect, it } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type Answer, type CallOptions, newTranId } from '../support/client.ts';
import {
  AS_OTHER,
  idsOf,
  inFlight,
  JOURNALS,
  money,
  netOf,
  newCard,
  reverse,
  type Stage,
  said,
  stages,
  undosOf,
  untilTold,
} from './support.ts';

const on = stages();
describe.each(JOURNALS)('a Reversal before its original, on %s', journal => {
  it.each([
    ['Purchase', {}],
    ['LoadFund', {}],
    ['BlockFund', {}],
    ['Refund', { originalTranId: 'seen-nowhere' }],
    ['ServiceCharge', { reasonCode: '1' }],
  ] as const)('F35 I8 is 00; the late %s is refused unsent, every time', async (api, extra) => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [tranId, card, reversalId] = [newTranId(), newCard(), newTranId()];
    const reversal = await reverse(stage, tranId, money(card), { tranId: reversalId });
    expect([said(reversal), reversal.body.availableBalance]).toEqual(['200 00', undefined]);
    const [undo] = undosOf(issuer, tranId);
    expect(undo?.body).toMatchObject({ ...money(card), originalTranId: tranId });
    for (const amount of ['10.00', '10.00', '7.00']) {
      expect(said(await call(api, { ...money(card, amount), ...extra }, { tranId }))).toBe('200 12');
    }
    expect(said(await call(api, { ...money(card), ...extra }, { ...AS_OTHER, tranId }))).toBe('400 94');
    expect(issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
    expect(said(await reverse(stage, tranId, money(card), { tranId: reversalId }))).toBe('200 00 replayed');
  });

  it('F36 F38 a second one is 00 as well and makes no undo of its own; one that differs from the first is 400', async () => {
    const stage = on(journal);
    const [tranId, card] = [newTranId(), newCard()];
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    const others = [
      reverse(stage, tranId, money(card)),
      reverse(stage, tranId, money(card, '9.00')),
      reverse(stage, tranId, money(newCard())),
      reverse(stage, tranId, money(card), AS_OTHER),
    ];
    expect((await Promise.all(others)).map(said)).toEqual(['200 00', '400 13', '400 02', '200 25']);
    const undos = undosOf(stage.issuer, tranId);
    expect(idsOf(undos)).toHaveLength(undos.filter(({ repeat }) => !repeat).length);
  });
});

const FOLLOWERS = [
  { api: 'Refund', of: 'Purchase' },
  { api: 'UnblockFund', of: 'BlockFund' },
  { api: 'Purchase', of: 'BlockFund' },
  { api: 'BlockFund', of: 'BlockFund' },
] as const;

/** Calls that name `original`, under a `tranId` of their own that stays the same. */
function follow({ call }: Stage, api: ApiName, card: string, originalTranId: string, options: CallOptions = {}) {
  const tranId = newTranId();
  return {
    tranId,
    ask: (amount = '4.00'): Promise<Answer> =>
      call(api, { ...money(card, amount), originalTranId }, { ...options, tranId }),
  };
}

describe.each(JOURNALS)('messages that name an original, on %s', journal => {
  it.each(FOLLOWERS)('F37 I1 $api of a $of in flight: 09, unclaimed and unsent; the retry goes through', async one => {
    const stage = on(journal);
    const { issuer } = stage;
    const card = newCard();
    const original = await inFlight(stage, one.of, money(card));
    const { tranId, ask } = follow(stage, one.api, card, original.tranId);
    expect([said(await ask()), said(await ask())]).toEqual(['200 09', '200 09']);
    expect(issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
    issuer.release();
    expect(said(await original.answer)).toBe('200 00');
    // Another amount than before: nothing was claimed for it.
    expect([said(await ask('3.00')), said(await ask('3.00'))]).toEqual(['200 00', '200 00 replayed']);
    expect(issuer.requests.filter(request => request.tranId === tranId)).toHaveLength(1);
  });

  it.each(FOLLOWERS)('I5 I7 $api of a $of in doubt: 09 until it is undone, then 12 for good, never sent', async one => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [originalId, card] = [newTranId(), newCard()];
    let away = true;
    issuer.script(one.of, { kind: 'resetAfterEffect' }, { tranId: originalId, times: 1 });
    issuer.script('*', { kind: 'status', status: 503 }, { where: r => away && r.originalTranId === originalId });
    expect(said(await call(one.of, money(card), { tranId: originalId }))).toBe('200 68');
    const { tranId, ask } = follow(stage, one.api, card, originalId);
    expect([said(await ask()), said(await ask())]).toEqual(['200 09', '200 09']);
    away = false;
    await issuer.waitFor('the undo', () => netOf(issuer, originalId).available === 0n);
    expect([said(await untilTold(ask)), said(await ask())]).toEqual(['200 12', '200 12 replayed']);
    expect(issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
    expect([issuer.balanceOf(card), issuer.heldOf(card)]).toEqual(['1000.00', '0.00']);
  });

  it('I1 Refund of a LoadFund that is being repeated: 09; once that is settled, the retry goes through', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [originalId, card] = [newTranId(), newCard()];
    let away = true;
    issuer.script('LoadFund', { kind: 'code', code: '91' }, { tranId: originalId, where: () => away });
    expect(said(await call('LoadFund', money(card), { tranId: originalId }))).toBe('200 09');
    const { tranId, ask } = follow(stage, 'Refund', card, originalId);
    expect(said(await ask())).toBe('200 09');
    expect(issuer.requestsOf('Refund', tranId)).toEqual([]);
    away = false;
    expect([said(await untilTold(ask)), said(await ask())]).toEqual(['200 00', '200 00 replayed']);
  });

  it.each(FOLLOWERS)('F39 F42 I1 $api of a $of that was declined or never sent: 12 for good, unsent', async one => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const unsent = newTranId();
    issuer.script(one.of, { kind: 'status', status: 404 }, { tranId: unsent });
    expect(said(await call(one.of, money(card), { tranId: unsent }))).toBe('200 91');
    const declined = await call(one.of, money(card, '5000.00'));
    expect(said(declined)).toBe('200 51');
    for (const original of [unsent, declined.tranId]) {
      const { tranId, ask } = follow(stage, one.api, card, original);
      expect([said(await ask()), said(await ask()), said(await ask('5.00'))]).toEqual([
        '200 12',
        '200 12 replayed',
        '400 94',
      ]);
      expect(issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
    }
  });

  it.each(FOLLOWERS)('F35 $api of a $of that was reversed before it came: 12 for good, unsent', async ({ api }) => {
    const stage = on(journal);
    const [original, card] = [newTranId(), newCard()];
    expect(said(await reverse(stage, original, money(card)))).toBe('200 00');
    const { tranId, ask } = follow(stage, api, card, original);
    expect([said(await ask()), said(await ask())]).toEqual(['200 12', '200 12 replayed']);
    expect(stage.issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
  });

  it('F44 I13 Refund of a Purchase that is reversed: 12, also while its undo is not acknowledged yet', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const { tranId } = await call('Purchase', money(card));
    const kept = follow(stage, 'Refund', card, tranId);
    expect(said(await kept.ask())).toBe('200 00');
    let away = true;
    issuer.script('Reversal', { kind: 'status', status: 503 }, { where: r => away && r.originalTranId === tranId });
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    expect(said(await follow(stage, 'Refund', card, tranId).ask())).toBe('200 12');
    away = false;
    await issuer.waitFor('the undo', () => undosOf(issuer, tranId).some(({ repeat }) => repeat));
    expect(said(await follow(stage, 'Refund', card, tranId).ask())).toBe('200 12');
    // What was answered before stands, whatever has become of the original since.
    expect([said(await kept.ask()), said(await kept.ask('5.00'))]).toEqual(['200 00 replayed', '400 94']);
    expect(issuer.requestsOf('Refund').filter(({ originalTranId }) => originalTranId === tranId)).toHaveLength(1);
  });

  it.each(FOLLOWERS)('F42 $api of a $of that we do not know: forwarded, and the issuer answers', async ({ api }) => {
    const stage = on(journal);
    const { tranId, ask } = follow(stage, api, newCard(), newTranId());
    const code = api === 'BlockFund' ? '00' : '25';
    expect([said(await ask()), said(await ask())]).toEqual([`200 ${code}`, `200 ${code} replayed`]);
    expect(stage.issuer.requests.filter(request => request.tranId === tranId)).toHaveLength(1);
  });

  it.each(FOLLOWERS)("F42 I16 $api of another client's $of: 25 for good, unsent, approved or open", async one => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const approved = await call(one.of, money(card));
    const open = await inFlight(stage, one.of, money(card));
    for (const original of [approved.tranId, open.tranId]) {
      const { tranId, ask } = follow(stage, one.api, card, original, AS_OTHER);
      expect([said(await ask()), said(await ask())]).toEqual(['200 25', '200 25 replayed']);
      expect(issuer.requests.filter(request => request.tranId === tranId)).toEqual([]);
    }
    issuer.release();
    expect(said(await open.answer)).toBe('200 00');
  });

  it.each(['DebitAdjustment', 'CreditAdjustment'] as const)(
    'I16 %s only mentions an original: forwarded whatever has become of it, but never of another client',
    async api => {
      const stage = on(journal);
      const { issuer, call } = stage;
      const card = newCard();
      const declined = await call('Purchase', money(card, '5000.00'));
      const open = await inFlight(stage, 'Purchase', money(card));
      const adjust = (originalTranId: string, options?: CallOptions) =>
        call(api, { ...money(card), memo: 'a test', originalTranId }, options);
      for (const original of [declined.tranId, open.tranId, newTranId()]) {
        expect(said(await adjust(original))).toBe('200 00');
      }
      const others = await adjust(declined.tranId, AS_OTHER);
      expect([said(others), issuer.about(others.tranId)]).toEqual(['200 25', []]);
      issuer.release();
      await open.answer;
    },
  );

  it('F41 F43 I7 two releases of 6.00, then a completion and a release, of one hold of 10.00 at once', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const hold = async () => (await call('BlockFund', money(card))).tranId;
    const [first, second] = [await hold(), await hold()];
    const releases = [follow(stage, 'UnblockFund', card, first), follow(stage, 'UnblockFund', card, first)];
    const told = await Promise.all(releases.map(({ ask }) => ask('6.00')));
    expect(told.map(said).sort()).toEqual(['200 00', '200 12']);
    const ends = [follow(stage, 'Purchase', card, second), follow(stage, 'UnblockFund', card, second)];
    await Promise.all(ends.map(({ ask }) => ask('10.00')));
    expect(issuer.heldOf(card)).toBe('4.00');
    expect(['996.00', '986.00']).toContain(issuer.balanceOf(card));
  });

  it('the contract with the issuer was kept throughout', () => {
    expect(on(journal).issuer.violations).toEqual([]);
  });
});
