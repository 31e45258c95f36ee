/**
 * The callers of a load against a client that answers as the test says: what acts on an earlier transaction names it, a
 * repeat has the same content, and latency counts from when the call was due.
 */
import { describe, expect, it } from 'vitest';
import { Callers } from '../../../bench/load/callers.ts';
import { close } from '../../../bench/load/closing.ts';
import type { LoadCard } from '../../../bench/load/loadCall.ts';
import { type Mix, parseMix } from '../../../bench/load/mix.ts';
import { Tally } from '../../../bench/load/tally.ts';
import type { ApiName, Client, Result } from '../../../src/client/client.ts';
import { isCurrencyCode } from '../../../src/domain/currencies.ts';
import { isTranId, looksDerived } from '../../../src/domain/ids.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { systemRandom } from '../../../src/runtime/random.ts';

const usd = '840';
if (!isCurrencyCode(usd)) throw new Error('840 is a currency');
const CARDS: readonly LoadCard[] = ['4220-a', '4220-b'].map(cardToken => ({ cardToken, currency: usd }));

type Sent = { readonly api: ApiName } & Readonly<Record<string, unknown>>;

/** Answers `00`, or 09 to the first so many calls, and marks what it has seen before. */
class Answering {
  readonly sent: Sent[] = [];
  #open: number;

  constructor(open = 0) {
    this.#open = open;
  }

  readonly client: Client = {
    call: (api, message) => {
      const { tranId = '' } = message;
      const replayed = this.sent.some(each => each.tranId === tranId);
      this.sent.push({ api, ...message });
      this.#open -= 1;
      const facts = { tranId, site: '', tries: 1, requestId: undefined };
      const open = { kind: 'inProgress', answer: { responseCode: '09' }, ...facts };
      const approved = { kind: 'approved', answer: { responseCode: '00', authCode: '1' }, replayed, ...facts };
      return Promise.resolve((this.#open >= 0 ? open : approved) as unknown as Result<typeof api>);
    },
  };
}

function callersOf(mix: string, { client }: Answering, clock: Clock = systemClock): { callers: Callers; tally: Tally } {
  const parsed = parseMix(mix);
  if ('wrong' in parsed) throw new Error('no mix');
  const tally = new Tally(1000);
  const amounts = { least: 100, most: 200 };
  const options = { client, cards: CARDS, mix: parsed satisfies Mix, amounts, tally, clock, random: systemRandom };
  return { callers: new Callers(options), tally };
}

async function make(callers: Callers, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) await callers.callOfMix(0, 0, true);
}

describe('the callers', () => {
  it.each([
    ['refund', 'Refund', 'Purchase'],
    ['reversal', 'Reversal', 'Purchase'],
    ['unblockFund', 'UnblockFund', 'BlockFund'],
    ['completion', 'Purchase', 'BlockFund'],
  ])('%s: makes what it acts on, then acts on it, once', async (mix, api, original) => {
    const target = new Answering();
    const { callers } = callersOf(`${mix}:1`, target);
    await make(callers, 6);
    expect(target.sent.map(each => each.api)).toEqual([original, api, original, api, original, api]);
    for (const [at, each] of target.sent.entries()) {
      if (at % 2 === 0) continue;
      const before = target.sent[at - 1];
      expect([each.originalTranId, each.cardToken, each.tranAmount]).toEqual([
        before?.tranId,
        before?.cardToken,
        before?.tranAmount,
      ]);
    }
  });

  it('transfer to another card, with amounts within their bounds and ids that may be used', async () => {
    const target = new Answering();
    await make(callersOf('transferFund:1', target).callers, 20);
    for (const { cardToken, toCardToken, tranAmount, tranId } of target.sent) {
      expect(CARDS.map(card => card.cardToken).toSorted()).toEqual([cardToken, toCardToken].toSorted());
      expect([Number(tranAmount) >= 1, Number(tranAmount) <= 2]).toEqual([true, true]);
      expect([isTranId(String(tranId)), looksDerived(String(tranId))]).toEqual([true, false]);
    }
    expect(new Set(target.sent.map(({ tranId }) => tranId)).size).toBe(20);
  });

  it('make the same call again, with the same content', async () => {
    const target = new Answering();
    const { callers, tally } = callersOf('replay:1', target);
    await make(callers, 5);
    expect(target.sent).toEqual(Array.from({ length: 5 }, () => target.sent[0]));
    expect(callers.replays).toEqual({ made: 4, unmarked: 0 });
    expect(callers.calls).toHaveLength(1);
    expect(tally.kinds().map(({ label, told }) => [label, told.count])).toEqual([
      ['the same again', 4],
      ['Purchase', 1],
    ]);
  });

  it('count latency from when the call was due', async () => {
    const clock: Clock = { ...systemClock, monotonicMs: () => 1000 };
    const { callers, tally } = callersOf('purchase:1', new Answering(), clock);
    await callers.callOfMix(600, 0, true);
    await callers.callOfMix(100, 0, false);
    expect(tally.kinds().map(({ told }) => [told.count, told.maxMs])).toEqual([[1, 400]]);
    expect(tally.totals.done).toBe(2);
  });
});

describe('the closing', () => {
  const closing = { clock: systemClock, timeoutMs: 20_000, say: () => undefined };

  it('asks again, as it was, for what is open, and releases the holds', async () => {
    const target = new Answering(2);
    const { callers } = callersOf('blockFund:1', target);
    await make(callers, 3);
    expect(callers.calls.map(({ told }) => told.kind)).toEqual(['open', 'open', 'final']);
    const learned = await close({ ...closing, callers });
    expect(learned).toEqual({ askedAgain: 2, stillOpen: [] });
    const [first, second, , ...later] = target.sent;
    expect(later.slice(0, 2)).toEqual([first, second]);
    expect(later.slice(2).map(({ api }) => api)).toEqual(['UnblockFund', 'UnblockFund', 'UnblockFund']);
  });

  it('tells what stays open when its time is over', async () => {
    const target = new Answering(Number.POSITIVE_INFINITY);
    const { callers } = callersOf('loadFund:1', target);
    await make(callers, 2);
    const { askedAgain, stillOpen } = await close({ ...closing, callers, timeoutMs: 0 });
    expect([askedAgain, stillOpen.length]).toEqual([2, 2]);
  });
});
