/**
 * Reversals: one original has one undo, whoever asks for it, whenever it comes and however often. Before the original,
 * while it is in flight, after it, twice, fifty times, and for an original that somebody else owns.
 */
import { describe, expect, it } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type Fields, newTranId } from '../support/client.ts';
import type { IssuerRequest } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import {
  AS_OTHER,
  alarms,
  blamed,
  DERIVED,
  idsOf,
  inFlight,
  JOURNALS,
  messagesInASecond,
  money,
  NOTHING_DONE,
  NOTHING_OWED,
  netOf,
  newCard,
  owed,
  reverse,
  said,
  stages,
  undosOf,
  untilNothingDue,
} from './support.ts';

const on = stages();

const THE_FOUR = [
  ['Purchase', '990.00'],
  ['Withdraw', '990.00'],
  ['LoadFund', '1010.00'],
  ['TransferFund', '990.00'],
] as const;
const fieldsOf = (api: ApiName, card: string): Fields =>
  api === 'TransferFund' ? { ...money(card), toCardToken: newCard() } : money(card);

describe.each(JOURNALS)('a Reversal after its original, on %s', journal => {
  it.each(THE_FOUR)('I8 I13 of a %s gives 00 and undoes it once; a retry of either replays', async (api, balance) => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const fields = fieldsOf(api, card);
    const original = await call(api, fields);
    expect([said(original), issuer.balanceOf(card)]).toEqual(['200 00', balance]);

    const reversal = await reverse(stage, original.tranId, fields.toCardToken ? money(card) : fields);
    expect(said(reversal)).toBe('200 00');
    await untilNothingDue(stage);
    const [undo, ...more] = undosOf(issuer, original.tranId);
    expect([undo?.api, undo?.repeat, undo?.body.tranAmount, more]).toEqual(['Reversal', false, '10.00', []]);
    expect(undo?.tranId).toMatch(DERIVED);
    expect(issuer.about(reversal.tranId)).toEqual([]);
    expect(issuer.balanceOf(card)).toBe('1000.00');
    if (fields.toCardToken) expect(issuer.balanceOf(String(fields.toCardToken))).toBe('1000.00');

    const again = await reverse(stage, original.tranId, money(card), { tranId: reversal.tranId });
    expect(said(again)).toBe('200 00 replayed');
    expect(again.body.availableBalance).toBe(reversal.body.availableBalance);
    expect(said(await call(api, fields, { tranId: original.tranId }))).toBe('200 00 replayed');
    expect(undosOf(issuer, original.tranId)).toHaveLength(1);
  });

  it("I8 passes the balances of the issuer's acknowledgement on", async () => {
    const stage = on(journal);
    const tellsBalance = async () => {
      const card = newCard();
      const original = await stage.call('Purchase', money(card));
      const { body } = await reverse(stage, original.tranId, money(card));
      return [body.availableBalance, body.balanceCurrency, body.tranAmount].join();
    };
    // Somebody else who looks for due work at the same moment may be first; then there is nothing to pass on.
    const answers = [await tellsBalance(), await tellsBalance(), await tellsBalance()];
    expect(answers).toContain('1000.00,840,10.00');
    expect(answers.filter(answer => answer !== '1000.00,840,10.00' && answer !== ',,')).toEqual([]);
  });

  it('F36 I8 fifty Reversals at once, each with its own tranId, have one effect and one answer', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const { tranId } = await call('Purchase', money(card));
    const answers = await Promise.all(Array.from({ length: 50 }, () => reverse(stage, tranId, money(card))));
    expect(new Set(answers.map(said))).toEqual(new Set(['200 00']));
    await untilNothingDue(stage);
    expect(idsOf(undosOf(issuer, tranId))).toHaveLength(1);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
  });

  it('F36 F4 I3 fifty copies of one Reversal at once are one', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const { tranId } = await call('Purchase', money(card));
    const copy = newTranId();
    const copies = Array.from({ length: 50 }, () => reverse(stage, tranId, money(card), { tranId: copy }));
    const answers = await Promise.all(copies);
    expect(answers.map(said).filter(text => text !== '200 00 replayed')).toEqual(['200 00']);
    // The date and the time are those of each copy.
    const told = answers.map(({ body: { tranDate, tranTime, ...rest } }) => JSON.stringify(rest));
    expect(new Set(told).size).toBe(1);
    expect(undosOf(issuer, tranId)).toHaveLength(1);
  });

  it('F39 of a declined original, and of one that was never sent: 00, and nothing is sent', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const [declined, unsent] = [newTranId(), newTranId()];
    issuer.script('Purchase', { kind: 'status', status: 403 }, { tranId: unsent });
    expect(said(await call('Purchase', money(card, '5000.00'), { tranId: declined }))).toBe('200 51');
    expect(said(await call('Purchase', money(card), { tranId: unsent }))).toBe('200 91');
    expect(said(await reverse(stage, declined, money(card, '5000.00')))).toBe('200 00');
    expect(said(await reverse(stage, unsent, money(card)))).toBe('200 00');
    expect([undosOf(issuer, declined), undosOf(issuer, unsent)]).toEqual([[], []]);
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(said(await call('Purchase', money(card, '5000.00'), { tranId: declined }))).toBe('200 51 replayed');
  });

  it('I9 F17 is 00 although the issuer does not acknowledge it yet; the undo goes on', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const { tranId } = await call('Purchase', money(card));
    let away = true;
    issuer.script('Reversal', { kind: 'resetBeforeEffect' }, { where: r => away && r.originalTranId === tranId });
    const reversal = await reverse(stage, tranId, money(card));
    expect([said(reversal), reversal.body.availableBalance]).toEqual(['200 00', undefined]);
    expect(await owed(stage.gateway)).toMatchObject({ due: 1, money: 1000 });
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 00 replayed');
    away = false;
    await untilNothingDue(stage);
    expect(idsOf(undosOf(issuer, tranId))).toHaveLength(1);
    expect(issuer.balanceOf(card)).toBe('1000.00');
  });
});

describe.each(JOURNALS)('a Reversal while its original is in flight, on %s', journal => {
  it.each(THE_FOUR)('F37 I5 %s: 00, and the buyer is not told approved', async api => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const fields = fieldsOf(api, card);
    const original = await inFlight(stage, api, fields);
    expect(said(await reverse(stage, original.tranId, money(card)))).toBe('200 00');
    expect(undosOf(issuer, original.tranId)).toEqual([]);
    issuer.release();
    const answer = await original.answer;
    expect([said(answer), answer.body.authCode]).toEqual(['200 68', undefined]);
    await untilNothingDue(stage);
    expect(undosOf(issuer, original.tranId).map(({ repeat }) => repeat)).toEqual([false]);
    expect(issuer.requestsOf(api, original.tranId)).toHaveLength(1);
    expect([netOf(issuer, original.tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
    expect(said(await call(api, fields, { tranId: original.tranId }))).toBe('200 68 replayed');
  });

  it('F36 F37 ten of them: one undo', async () => {
    const stage = on(journal);
    const card = newCard();
    const original = await inFlight(stage, 'Purchase', money(card));
    const reversals = Array.from({ length: 10 }, () => reverse(stage, original.tranId, money(card)));
    expect(new Set((await Promise.all(reversals)).map(said))).toEqual(new Set(['200 00']));
    stage.issuer.release();
    expect(said(await original.answer)).toBe('200 68');
    await untilNothingDue(stage);
    expect(undosOf(stage.issuer, original.tranId)).toHaveLength(1);
    expect(stage.issuer.balanceOf(card)).toBe('1000.00');
  });

  it('F39 a decline is told as it is, and nothing is undone', async () => {
    const stage = on(journal);
    const card = newCard();
    const original = await inFlight(stage, 'Purchase', money(card, '5000.00'));
    expect(said(await reverse(stage, original.tranId, money(card, '5000.00')))).toBe('200 00');
    stage.issuer.release();
    expect(said(await original.answer)).toBe('200 51');
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(undosOf(stage.issuer, original.tranId)).toEqual([]);
  });

  it.each(['Purchase', 'LoadFund'] as const)('F37 I8 %s in doubt then: undone, and never repeated', async api => {
    const stage = on(journal);
    const { proxy, issuer } = stage;
    const card = newCard();
    const original = await inFlight(stage, api, money(card));
    expect(said(await reverse(stage, original.tranId, money(card)))).toBe('200 00');
    // The issuer acts, and its answer is lost.
    await proxy.mode('holdReplies');
    issuer.release();
    await proxy.waitForHeldReply();
    proxy.drop();
    await proxy.mode('pass');
    expect(said(await original.answer)).toBe('200 68');
    await untilNothingDue(stage);
    expect(issuer.requestsOf(api, original.tranId)).toHaveLength(1);
    expect(stage.issuer.balanceOf(card)).toBe('1000.00');
  });
});

describe.each(JOURNALS)('a Reversal of a doubt, on %s', journal => {
  it('F36 I8 of an original whose undo is due already makes no second undo; nor once it is delivered', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    let away = true;
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { tranId, times: 1 });
    issuer.script('Reversal', { kind: 'status', status: 503 }, { where: r => away && r.originalTranId === tranId });
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 68');
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    await issuer.waitFor('two tries', () => undosOf(issuer, tranId).length >= 2);
    away = false;
    await untilNothingDue(stage);
    const sends = undosOf(issuer, tranId);
    expect(idsOf(sends)).toHaveLength(1);
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    expect(undosOf(issuer, tranId)).toHaveLength(sends.length);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 68 replayed');
  });

  it.each(['LoadFund', 'TransferFund'] as const)('I8 I3 of a %s that is being repeated: undone instead', async api => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    const fields = fieldsOf(api, card);
    issuer.script(api, { kind: 'code', code: '96' }, { tranId });
    expect(said(await call(api, fields, { tranId }))).toBe('200 09');
    await issuer.waitFor('a repeat', () => issuer.requestsOf(api, tranId).length >= 2);
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    expect(said(await call(api, fields, { tranId }))).toBe('200 68 replayed');
    await untilNothingDue(stage);
    const story = issuer.about(tranId).map(request => request.api);
    expect(story.indexOf('Reversal')).toBe(story.length - 1);
    expect([netOf(issuer, tranId).available, issuer.balanceOf(card)]).toEqual([0n, '1000.00']);
    expect(said(await call(api, fields, { tranId }))).toBe('200 68 replayed');
  });

  it('I5 I8 of a LoadFund whose repeat is at the issuer: the undo follows the repeat', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    issuer.script('LoadFund', { kind: 'resetBeforeEffect' }, { tranId, times: 1 });
    issuer.script('LoadFund', { kind: 'queueUntilReleased' }, { tranId });
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 09');
    await issuer.waitFor('the repeat', () => issuer.requestsOf('LoadFund', tranId).length === 2);
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    issuer.release();
    await untilNothingDue(stage);
    expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 68 replayed');
  });
});

describe.each(JOURNALS)('a Reversal that may not be, on %s', journal => {
  it.each([
    ['F38 less', { tranAmount: '9.99' }, '400 13', 'tranAmount'],
    ['F38 more', { tranAmount: '10.01' }, '400 13', 'tranAmount'],
    ['F38 another currency', { tranCurrency: '978' }, '400 13', 'tranAmount'],
    ['F38 another card', { cardToken: 'card-of-nobody' }, '400 02', 'cardToken'],
  ])('%s than the original: nothing is claimed, nothing is sent', async (_, change, told, field) => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const [card, reversalId] = [newCard(), newTranId()];
    const { tranId } = await call('Purchase', money(card));
    const wrong = await reverse(stage, tranId, { ...money(card), ...change }, { tranId: reversalId });
    expect([said(wrong), blamed(wrong)]).toEqual([told, [field]]);
    expect(undosOf(issuer, tranId)).toEqual([]);
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 00 replayed');
    // The same amount written otherwise is the same amount, and the tranId is still free.
    expect(said(await reverse(stage, tranId, money(card, '10'), { tranId: reversalId }))).toBe('200 00');
    expect(issuer.balanceOf(card)).toBe('1000.00');
  });

  it('F40 of a Reversal, or of an API that has none: 400 12, and nothing is sent', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const purchase = await call('Purchase', money(card));
    const refund = await call('Refund', { ...money(card), originalTranId: purchase.tranId });
    const others = [
      refund,
      await call('BlockFund', money(card)),
      await call('ServiceCharge', money(card)),
      await call('CreditAdjustment', { ...money(card), memo: 'x' }),
      await reverse(stage, (await call('Purchase', money(card))).tranId, money(card)),
    ];
    expect(new Set(others.map(said))).toEqual(new Set(['200 00']));
    for (const { tranId } of others) {
      const answer = await reverse(stage, tranId, money(card));
      expect([said(answer), blamed(answer), undosOf(issuer, tranId)]).toEqual(['400 12', ['originalTranId'], []]);
    }
  });

  it("F9 I16 of another client's original: 25 whatever has become of that, and nothing is sent", async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const approved = await call('Purchase', money(card));
    const declined = await call('Purchase', money(card, '5000.00'));
    const open = await inFlight(stage, 'Purchase', money(card));
    const originals = [approved.tranId, declined.tranId, open.tranId];
    const ids = originals.map(newTranId);
    const ask = (amount: string) =>
      Promise.all(
        originals.map((id, i) => reverse(stage, id, money(card, amount), { ...AS_OTHER, tranId: ids[i] ?? '' })),
      );
    const answers = await ask('10.00');
    expect(answers.map(said)).toEqual(['200 25', '200 25', '200 25']);
    const bodies = answers.map(({ body }) => ({ ...body, tranId: '', tranTime: '' }));
    expect(bodies).toEqual([bodies[0], bodies[0], bodies[0]]);
    expect(Object.keys(bodies[0] ?? {})).not.toContain('availableBalance');
    expect((await ask('10.00')).map(said)).toEqual(['200 25 replayed', '200 25 replayed', '200 25 replayed']);
    issuer.release();
    expect(said(await open.answer)).toBe('200 00');
    expect(originals.flatMap(id => undosOf(issuer, id))).toEqual([]);
    expect(issuer.balanceOf(card)).toBe('980.00');
  });
});

describe.each(JOURNALS)('an undo that is not acknowledged at once, on %s', journal => {
  it('F34 I8 goes on under its tranId after no answer, and under the next one after a "25"', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const { tranId } = await call('Purchase', money(card));
    const when = { times: 1, where: (request: IssuerRequest) => request.originalTranId === tranId };
    issuer.script('Reversal', { kind: 'decline', code: '25' }, when);
    issuer.script('Reversal', { kind: 'status', status: 503, effect: false }, when);
    issuer.script('Reversal', { kind: 'decline', code: '25' }, when);
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    await untilNothingDue(stage);
    const undos = undosOf(issuer, tranId);
    const names = idsOf(undos);
    expect(undos.map(undo => `${names.indexOf(undo.tranId)}${undo.repeat ? ' again' : ''}`)).toEqual([
      '0',
      '1',
      '1 again',
      '2',
    ]);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
  });

  it.each(['Purchase', 'BlockFund'] as const)(
    'F34 I5 of a %s still in the queue of the issuer: tried until it is undone',
    async api => {
      const { issuer, proxy, call } = on(journal);
      const [tranId, card] = [newTranId(), newCard()];
      issuer.script(api, { kind: 'queueUntilReleased' }, { tranId });
      const answer = call(api, money(card), { tranId });
      await issuer.waitFor('the original', () => issuer.queued() === 1);
      proxy.drop();
      expect(said(await answer)).toBe('200 68');
      await issuer.waitFor('three undos that find nothing', () => undosOf(issuer, tranId).length >= 3);
      issuer.release();
      await untilNothingDue(on(journal));
      const ids = undosOf(issuer, tranId).map(undo => undo.tranId);
      expect(new Set(ids).size).toBe(ids.length);
      const undoing = issuer.effects.filter(effect => effect.originalTranId === tranId);
      expect(undoing.map(effect => effect.tranId)).toEqual(ids.slice(-1));
      expect([issuer.effectsOf(tranId).length, netOf(issuer, tranId)]).toEqual([1, NOTHING_DONE]);
      expect([issuer.balanceOf(card), issuer.heldOf(card)]).toEqual(['1000.00', '0.00']);
    },
  );

  it('I8 I10 none of all this is ever sent again', async () => {
    const stage = on(journal);
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(await messagesInASecond(stage)).toBe(0);
    expect(stage.issuer.violations).toEqual([]);
    expect(await alarms(stage.gateway, 'defect')).toBe(0);
  });

  it("F45 F46 I17 is parked with an alarm when the issuer declines it, kept, and in nobody's way", async () => {
    const stage = on(journal);
    const { issuer, gateway, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { tranId });
    issuer.script('Reversal', { kind: 'decline', code: '57' }, { where: r => r.originalTranId === tranId });
    const before = await alarms(gateway, 'parked');
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 68');
    await waitFor('an alarm', async () => (await alarms(gateway, 'parked')) > before);
    expect((await alarms(gateway, 'parked')) - before).toBe(1);
    expect(await owed(gateway)).toEqual({ doubts: 1, due: 0, parked: 1, money: 1000 });
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 68 replayed');
    expect(said(await reverse(stage, tranId, money(card)))).toBe('200 00');
    const other = await call('Purchase', money(card));
    expect(said(await reverse(stage, other.tranId, money(card)))).toBe('200 00');
    expect([undosOf(issuer, tranId).length, undosOf(issuer, other.tranId).length]).toEqual([1, 1]);
  });
});
