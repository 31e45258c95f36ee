/**
 * Undos that find nothing. "Original not found" proves nothing while the original may still be on its way, so the undo
 * goes on, each time under another `tranId`, until it is told so once more at a time when nothing can come any more.
 */
import { describe, expect, it } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type Answer, newTranId } from '../support/client.ts';
import type { Behaviour } from '../support/issuerScript.ts';
import {
  allAtOnce,
  BRIEF,
  DERIVED,
  idsOf,
  JOURNALS,
  LEASE_MARGIN_MS,
  messagesInASecond,
  money,
  NOTHING_DONE,
  NOTHING_OWED,
  netOf,
  newCard,
  onBoth,
  openStage,
  owed,
  reverse,
  type Stage,
  said,
  undosOf,
  untilNothingDue,
  untilTold,
} from './support.ts';

/** The journal's clock against ours. */
const CLOCKS_DIFFER_MS = 100;
const MAX_PROCESSING_MS = Number(BRIEF.issuer.maxProcessingMs);
const LEASE_MS = Number(BRIEF.client.budgetMs) + LEASE_MARGIN_MS;

/** What leaves a doubt although the issuer did nothing, or what is reversed before it came. */
type Case = { readonly title: string; readonly api: ApiName; readonly behaviour: Behaviour | undefined };
const CASES: readonly Case[] = [
  { title: 'hangs', api: 'Purchase', behaviour: { kind: 'hang' } },
  { title: 'resets', api: 'Withdraw', behaviour: { kind: 'resetBeforeEffect' } },
  { title: 'says 429', api: 'Purchase', behaviour: { kind: 'status', status: 429 } },
  { title: 'says 91', api: 'Withdraw', behaviour: { kind: 'code', code: '91', effect: false } },
  { title: 'hangs', api: 'BlockFund', behaviour: { kind: 'hang' } },
  { title: 'never sees it', api: 'Purchase', behaviour: undefined },
];
const PAIRS = Array.from({ length: 20 }, (_, index) => index);

type Doubt = {
  readonly tranId: string;
  readonly card: string;
  readonly startedAt: number;
  readonly toldAt: number;
  readonly first: Answer;
};

async function run(stage: Stage, { api, behaviour }: Case): Promise<Doubt> {
  const { issuer, call } = stage;
  const [tranId, card] = [newTranId(), newCard()];
  if (behaviour) issuer.script(api, behaviour, { tranId });
  const startedAt = performance.now();
  const id = newTranId();
  const ask = () =>
    behaviour ? call(api, money(card), { tranId }) : reverse(stage, tranId, money(card), { tranId: id });
  const first = await untilTold(ask);
  return { tranId, card, startedAt, toldAt: performance.now(), first };
}

/** A Purchase and its Reversal at the same time. */
async function race(stage: Stage) {
  const [tranId, reversalId, card] = [newTranId(), newTranId(), newCard()];
  const buyer = stage.call('Purchase', money(card), { tranId });
  const reversal = await untilTold(() => reverse(stage, tranId, money(card), { tranId: reversalId }));
  return { tranId, card, reversal, buyer: await buyer };
}

const played = onBoth(async journal => {
  const stage = await openStage({ journal, pace: BRIEF });
  const doubts = allAtOnce(CASES, one => run(stage, one));
  await doubts.all();
  const races = allAtOnce(PAIRS, () => race(stage));
  await races.all();
  // Whether this ends well is for a test of its own to say.
  await untilNothingDue(stage).catch(() => undefined);
  return { stage, doubts, races };
});

describe.each(JOURNALS)('undos that find nothing, on %s', journal => {
  it.each(CASES)('F34 I8 $api, issuer $title: each "25" takes a new tranId, a late one ends it', async one => {
    const { stage, doubts } = played(journal);
    const { issuer } = stage;
    const { tranId, card, first, startedAt, toldAt } = await doubts.of(one);
    // A Reversal without an original is accepted (F35).
    expect(first.body.responseCode).toBe(one.behaviour ? '68' : '00');
    const undos = undosOf(issuer, tranId);
    expect(idsOf(undos).length).toBeGreaterThanOrEqual(2);
    // One that was not answered in time goes out again; one that was answered never does.
    expect(idsOf(undos)).toHaveLength(undos.filter(({ repeat }) => !repeat).length);
    expect(idsOf(undos).filter(id => !DERIVED.test(id))).toEqual([]);
    // The claim was written some time between the call and its answer; a tombstone has no lease.
    const lateMs = MAX_PROCESSING_MS + (one.behaviour ? LEASE_MS : 0);
    expect(undos.at(-1)?.at).toBeGreaterThan(startedAt + lateMs - CLOCKS_DIFFER_MS);
    const late = undos.filter(({ at }) => at > toldAt + lateMs + CLOCKS_DIFFER_MS);
    expect(idsOf(late).length).toBeLessThanOrEqual(1);
    expect([issuer.balanceOf(card), issuer.heldOf(card)]).toEqual(['1000.00', '0.00']);
  });

  it('F35 F37 I5 I8 a Purchase and its Reversal at once: whatever the buyer is told, nothing is left of it', async () => {
    const { stage, races } = played(journal);
    const ended = await Promise.all(PAIRS.map(pair => races.of(pair)));
    expect(new Set(ended.map(({ reversal }) => reversal.body.responseCode))).toEqual(new Set(['00']));
    const possible = ['200 00', '200 12', '200 68', '200 91'];
    expect(ended.map(({ buyer }) => said(buyer)).filter(text => !possible.includes(text))).toEqual([]);
    expect(ended.map(({ card }) => stage.issuer.balanceOf(card))).toEqual(PAIRS.map(() => '1000.00'));
    expect(ended.map(({ tranId }) => netOf(stage.issuer, tranId))).toEqual(PAIRS.map(() => NOTHING_DONE));
  });

  it('I5 I10 I19 nothing is owed in the end, and nothing is sent any more', async () => {
    const { stage } = played(journal);
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(await messagesInASecond(stage)).toBe(0);
    expect(stage.issuer.violations).toEqual([]);
  });
});
