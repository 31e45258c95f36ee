/**
 * The money check: an honest ledger passes, whatever the answers were, and every kind of planted difference is found and
 * named for what it is.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerCard, LedgerEffect } from '../../../bench/load/ledger.ts';
import { changesOf, LoadCall, type LoadCard } from '../../../bench/load/loadCall.ts';
import { KIND_NAMES, type KindName } from '../../../bench/load/mix.ts';
import { compareBooks } from '../../../bench/load/money.ts';
import type { ApiName, Result } from '../../../src/client/client.ts';
import { isCurrencyCode } from '../../../src/domain/currencies.ts';
import { looksDerived } from '../../../src/domain/ids.ts';

const usd = '840';
if (!isCurrencyCode(usd)) throw new Error('840 is a currency');
const A: LoadCard = { cardToken: '4220-a', currency: usd };
const B: LoadCard = { cardToken: '4220-b', currency: usd };
const CARDS = [A, B];
const OPENING = { available: 1_000_000n, held: 0n };

/** An id as the gateway derives them. */
const derived = (count: number): string => {
  const id = `RV${[...String(count).padStart(30, '0')].map(digit => 'ABCDEFGHIJ'[Number(digit)]).join('')}`;
  if (!looksDerived(id)) throw new Error('no derived id');
  return id;
};

/** `open` is 09, `refused` 503; anything else is a response code. */
type Answer = string;

function tell(call: LoadCall, ...answers: readonly Answer[]): LoadCall {
  for (const answer of answers) call.hear(resultOf(answer));
  return call;
}

function resultOf(answer: Answer): Result<ApiName> {
  const facts = { tranId: '', site: '', tries: 1, requestId: undefined };
  if (answer === 'open') return { kind: 'inProgress', answer: { responseCode: '09' }, ...facts } as Result<ApiName>;
  if (answer === 'lost') {
    return { kind: 'unreachable', at: 'answer', code: 'ECONNRESET', mayHaveHappened: true, ...facts };
  }
  if (answer === 'refused') {
    const nothing = {
      responseCode: undefined,
      responseDesc: undefined,
      errors: [],
      retryAfterMs: 0,
      location: undefined,
    };
    return { kind: 'refused', status: 503, mayHaveHappened: false, ...nothing, ...facts };
  }
  const kind = answer === '00' ? 'approved' : 'declined';
  return { kind, answer: { responseCode: answer }, replayed: false, ...facts } as unknown as Result<ApiName>;
}

/** Calls and the ledger of an honest issuer, in which things can be planted. */
class World {
  readonly calls: LoadCall[] = [];
  readonly effects = new Map<string, LedgerEffect[]>(CARDS.map(({ cardToken }) => [cardToken, []]));
  #ids = 0;

  call(kind: KindName, answers: readonly Answer[], original?: LoadCall, amount = 500n): LoadCall {
    this.#ids += 1;
    const target = kind === 'transferFund' ? B : undefined;
    const parts = { tranId: `Lrun-${this.#ids}`, kind, card: A, amount, target, original };
    const call = tell(new LoadCall(parts), ...answers);
    if (original) original.follower = call;
    this.calls.push(call);
    return call;
  }

  /** Books the call as an honest issuer does; `times` other than 1 plants a difference. */
  book(call: LoadCall, { times = 1, more = 0n }: { readonly times?: number; readonly more?: bigint } = {}): void {
    for (const { cardToken, available, held } of changesOf(call)) {
      const effect = { tranId: call.parts.tranId, type: call.api, originalTranId: call.parts.original?.parts.tranId };
      for (let count = 0; count < times; count += 1) {
        this.effects.get(cardToken)?.push({ ...effect, available: available + more, held });
      }
    }
  }

  /** Undoes it under an id that the gateway derived. */
  undo(call: LoadCall): void {
    this.#ids += 1;
    for (const { cardToken, available, held } of changesOf(call)) {
      const effect = { tranId: derived(this.#ids), type: 'Reversal', originalTranId: call.parts.tranId };
      this.effects.get(cardToken)?.push({ ...effect, available: -available, held: -held });
    }
  }

  ledger(off = 0n): LedgerCard[] {
    return CARDS.map(({ cardToken }) => {
      const effects = this.effects.get(cardToken) ?? [];
      const available = effects.reduce((sum, effect) => sum + effect.available, OPENING.available) + off;
      const held = effects.reduce((sum, effect) => sum + effect.held, OPENING.held);
      return { cardToken, before: OPENING, after: { available, held }, effects };
    });
  }

  kinds({ off = 0n, areShared = false }: { readonly off?: bigint; readonly areShared?: boolean } = {}): string[] {
    const { calls } = this;
    return compareBooks({ calls, cards: CARDS, ledger: this.ledger(off), areShared }).differences.map(
      ({ kind }) => kind,
    );
  }
}

const MONEY_KINDS = KIND_NAMES.filter(kind => kind !== 'balance' && kind !== 'reversal');

describe('an honest ledger', () => {
  it('passes, whatever the callers were told', () => {
    const answers = fc.array(fc.constantFrom('open', 'lost', 'refused'), { maxLength: 3 });
    const step = fc.record({
      kind: fc.constantFrom(...MONEY_KINDS),
      before: answers,
      final: fc.constantFrom('00', '51', '68', 'none'),
      isReversed: fc.boolean(),
      reversal: fc.constantFrom('00', '12', 'open', 'refused'),
      isBooked: fc.boolean(),
      amount: fc.bigInt({ min: 1n, max: 10_000n }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const world = new World();
        for (const { kind, before, final, isReversed, reversal, isBooked, amount } of steps) {
          const call = world.call(kind, final === 'none' ? before : [...before, final], undefined, amount);
          const isOpen = call.told.kind === 'open';
          const mayBeBooked = final === '00' || ((final === '68' || isOpen) && isBooked);
          if (mayBeBooked) world.book(call);
          if (final === '68' && isBooked) world.undo(call);
          if (final !== '00' || !isReversed) continue;
          world.call('reversal', [reversal], call, amount);
          if (reversal === '00' || (reversal === 'open' && isBooked)) world.undo(call);
        }
        expect(world.kinds()).toEqual([]);
      }),
    );
  });

  it('gives each card what it was told, and nothing else', () => {
    const world = new World();
    for (const kind of ['purchase', 'loadFund', 'transferFund'] as const) world.book(world.call(kind, ['00']));
    const { cards } = compareBooks({ calls: world.calls, cards: CARDS, ledger: world.ledger(), areShared: false });
    expect(cards).toEqual([
      expect.objectContaining({ cardToken: '4220-a', told: '-5.00', expected: '9995.00', after: '9995.00' }),
      expect.objectContaining({ cardToken: '4220-b', told: '5.00', expected: '10005.00', difference: '0.00' }),
    ]);
  });
});

describe('a planted difference is found', () => {
  it.each(MONEY_KINDS)('doubled: %s', kind => {
    const world = new World();
    world.book(world.call(kind, ['00']), { times: 2 });
    expect(world.kinds()).toContain('doubled');
  });

  it.each(MONEY_KINDS)('lost: %s', kind => {
    const world = new World();
    world.call(kind, ['00']);
    expect(world.kinds()).toContain('lost');
  });

  it.each(['51', '91', 'refused'])('made up: booked though it was told %s', answer => {
    const world = new World();
    world.book(world.call('purchase', [answer]));
    expect(world.kinds()).toEqual(['madeUp', 'balance']);
  });

  it('made up: booked though nobody asked for it', () => {
    const world = new World();
    world.effects
      .get('4220-a')
      ?.push({ tranId: 'x', type: 'LoadFund', originalTranId: undefined, available: 1n, held: 0n });
    expect(world.kinds()).toEqual(['madeUp', 'balance']);
    expect(world.kinds({ areShared: true })).toEqual([]);
  });

  it('made up: an undo of what is not ours', () => {
    const world = new World();
    const undo = { tranId: derived(1), type: 'Reversal', originalTranId: 'elsewhere', available: 1n, held: 0n };
    world.effects.get('4220-b')?.push(undo);
    expect(world.kinds()).toContain('madeUp');
  });

  it('another amount than was told, by one minor unit', () => {
    const world = new World();
    world.book(world.call('purchase', ['00']), { more: 1n });
    expect(world.kinds()).toEqual(['wrongAmount', 'balance']);
  });

  it('not undone: reversed, and told 68; that may still pass', () => {
    const world = new World();
    const call = world.call('purchase', ['00']);
    world.book(call);
    world.call('reversal', ['00'], call);
    world.book(world.call('withdraw', ['68']));
    const { differences } = compareBooks({
      calls: world.calls,
      cards: CARDS,
      ledger: world.ledger(),
      areShared: false,
    });
    expect(differences.map(({ kind, mayPass }) => [kind, mayPass])).toEqual([
      ['notUndone', true],
      ['notUndone', true],
      ['balance', true],
    ]);
  });

  it('undone, though nobody asked for it, or twice', () => {
    const world = new World();
    const [kept, reversed] = [world.call('purchase', ['00']), world.call('purchase', ['00'])];
    world.book(kept);
    world.undo(kept);
    world.book(reversed);
    world.call('reversal', ['00'], reversed);
    world.undo(reversed);
    world.undo(reversed);
    expect(world.kinds()).toEqual(['undone', 'doubled', 'balance']);
  });

  it('an outcome that is open is not money that is wrong, but twice of it is', () => {
    const world = new World();
    const call = world.call('refund', ['lost', 'open']);
    expect(world.kinds()).toEqual([]);
    world.book(call);
    expect(world.kinds()).toEqual([]);
    world.book(call);
    expect(world.kinds()).toContain('doubled');
  });

  it('told one thing and then another', () => {
    const world = new World();
    const call = world.call('purchase', ['00', '00']);
    world.book(call);
    expect(world.kinds()).toEqual([]);
    tell(call, '51');
    expect(world.kinds()).toEqual(['changed']);
  });

  it('a balance that its transactions do not make', () => {
    const world = new World();
    world.book(world.call('purchase', ['00']));
    expect(world.kinds({ off: -1n })).toEqual(['balance', 'balance']);
  });
});
