/**
 * Answers after the deadline, through the front door (F25): the caller's answer stays, what the issuer did after all is
 * undone, a doubt that waits for an answer ends with it, and the operator can see that it came.
 */
import { describe, expect, it } from 'vitest';
import { newTranId } from '../support/client.ts';
import { waitFor } from '../support/waitFor.ts';
import { ALL_SCOPES, exampleNamed } from './examples.ts';
import { metric } from './rig.ts';
import {
  idsOf,
  JOURNALS,
  messagesInASecond,
  money,
  NOTHING_DONE,
  NOTHING_OWED,
  netOf,
  newCard,
  onBoth,
  openStage,
  owed,
  type Stage,
  said,
  undosOf,
  untilNothingDue,
} from './support.ts';

/** Time enough for a late answer to come, and for the lookups of a busy machine. */
const PACE = { issuer: { timeoutMs: 1000, maxProcessingMs: 4000 }, client: { budgetMs: 3000 } } as const;

const heard = async ({ gateway }: Stage, effect: string): Promise<number> =>
  (await metric(gateway, 'gateway_late_answers_total', { effect })) ?? 0;
const untilHeard = (stage: Stage, effect: string, before: number): Promise<unknown> =>
  waitFor(`a late answer: ${effect}`, async () => (await heard(stage, effect)) > before);

const stage = onBoth(async journal => ({ stage: await openStage({ journal, pace: PACE, scopes: ALL_SCOPES }) }));

describe.each(JOURNALS)('F25 an answer after the deadline, on %s', journal => {
  it.each(['Purchase', 'BlockFund'] as const)('I3 I5 %s approved: 68 stays, and it is undone once more', async api => {
    const { issuer, call, gateway } = stage(journal).stage;
    const [tranId, card] = [newTranId(), newCard()];
    const before = await heard(stage(journal).stage, 'undoneAgain');
    issuer.script(api, { kind: 'late', ms: 2500 }, { tranId });
    expect(said(await call(api, money(card), { tranId }))).toBe('200 68');
    await issuer.waitFor('the first undo', () => undosOf(issuer, tranId).length === 1);
    await untilHeard(stage(journal).stage, 'undoneAgain', before);
    await untilNothingDue(stage(journal).stage);
    expect(idsOf(undosOf(issuer, tranId))).toHaveLength(2);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
    expect(said(await call(api, money(card), { tranId }))).toBe('200 68 replayed');
    const line = await waitFor('the line in the log', () =>
      gateway.logLines().find(({ event, what }) => event === 'lateAnswer' && String(what).startsWith(tranId)),
    );
    expect(line).toMatchObject({ api, code: '00', result: 'undoneAgain' });
  });

  it('I5 a Purchase that waits at the issuer until its undo has been refused as unknown is undone when it answers', async () => {
    const { issuer, call } = stage(journal).stage;
    const [tranId, card] = [newTranId(), newCard()];
    const before = await heard(stage(journal).stage, 'undoneAgain');
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    expect(said(await call('Purchase', money(card), { tranId }))).toBe('200 68');
    await issuer.waitFor('an undo that finds nothing', () => undosOf(issuer, tranId).length > 0);
    issuer.release();
    await untilHeard(stage(journal).stage, 'undoneAgain', before);
    await untilNothingDue(stage(journal).stage);
    expect([netOf(issuer, tranId), issuer.balanceOf(card)]).toEqual([NOTHING_DONE, '1000.00']);
  });

  it('I3 a decline is noted, and changes nothing', async () => {
    const { issuer, call, gateway } = stage(journal).stage;
    const [tranId, fields] = [newTranId(), money(newCard(), '5000.00')];
    const before = await heard(stage(journal).stage, 'noted');
    issuer.script('Purchase', { kind: 'late', ms: 2000 }, { tranId });
    expect(said(await call('Purchase', fields, { tranId }))).toBe('200 68');
    await untilHeard(stage(journal).stage, 'noted', before);
    expect(said(await call('Purchase', fields, { tranId }))).toBe('200 68 replayed');
    await untilNothingDue(stage(journal).stage);
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
  });

  it('I1 ends what would be repeated, and it is never sent again', async () => {
    const { issuer, call } = stage(journal).stage;
    const [tranId, card] = [newTranId(), newCard()];
    const before = await heard(stage(journal).stage, 'ended');
    issuer.script('LoadFund', { kind: 'queueUntilReleased' }, { tranId, times: 1 });
    issuer.script('LoadFund', { kind: 'status', status: 503, effect: false }, { tranId });
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 09');
    await issuer.waitFor('a repeat', () => issuer.requestsOf('LoadFund', tranId).length > 1);
    issuer.release();
    await untilHeard(stage(journal).stage, 'ended', before);
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 00 replayed');
    // A try that was under way may still arrive.
    await untilNothingDue(stage(journal).stage);
    await messagesInASecond(stage(journal).stage);
    expect(await messagesInASecond(stage(journal).stage)).toBe(0);
    expect(issuer.balanceOf(card)).toBe('1010.00');
  });

  it('I3 settles a command that is in doubt: its caller is told without asking the issuer again', async () => {
    const { issuer, call } = stage(journal).stage;
    const [tranId, { api, fields }] = [newTranId(), exampleNamed('PINChange')];
    const before = await heard(stage(journal).stage, 'ended');
    issuer.script(api, { kind: 'queueUntilReleased' }, { tranId });
    expect(said(await call(api, fields, { tranId }))).toBe('200 09');
    issuer.release();
    await untilHeard(stage(journal).stage, 'ended', before);
    expect(said(await call(api, fields, { tranId }))).toBe('200 00 replayed');
    expect(issuer.requestsOf(api, tranId)).toHaveLength(1);
  });
});
