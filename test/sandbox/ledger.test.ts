/**
 * The ledger itself, without HTTP: what depends on time and on a failing database, and the laws that hold after any
 * sequence of calls whatever: money is conserved, no hold is negative, nothing is undone or refunded twice.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiByName } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { viewBooks, viewCard } from '../../src/sandbox/books.ts';
import { Ledger, type LedgerAnswer } from '../../src/sandbox/ledger.ts';
import { BALANCE_MAX } from '../../src/sandbox/turn.ts';
import { addTestCards, cvv2Of, type Fields, header, money, NUMBER, OPENING_MINOR } from './support.ts';

function newLedger(file = ':memory:', clock: Clock = systemClock): Ledger {
  const ledger = new Ledger(file, clock);
  addTestCards(ledger, clock);
  return ledger;
}

function decide(ledger: Ledger, api: string, fields: Fields): LedgerAnswer {
  const row = apiByName(api);
  if (!row) throw new Error(`no API ${api}`);
  const { tranId, ...own } = fields;
  const card = own.cardNumber === undefined ? { cardToken: 'card' } : {};
  return ledger.decide(messageOf(row, header(tranId === undefined ? {} : { tranId }), { ...card, ...own }));
}

/** A clock that stands where it is put. */
function standingClock(at: string): Clock & { move(to: string): void } {
  let nowMs = Date.parse(at);
  return {
    ...systemClock,
    wallMs: () => nowMs,
    move: to => {
      nowMs = Date.parse(to);
    },
  };
}

const inDirectory = (run: (dir: string) => void): void => {
  const dir = mkdtempSync(join(tmpdir(), 'ledger-'));
  try {
    run(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
};

describe('time', () => {
  it('a card is good through the last moment of its month', () => {
    const clock = standingClock('2020-01-31T23:59:59.999Z');
    const ledger = newLedger(':memory:', clock);
    const buy = () => decide(ledger, 'Purchase', { ...money('1.00'), cardToken: 'expired' }).code;
    expect(buy()).toBe('00');
    clock.move('2020-02-01T00:00:00.000Z');
    expect(buy()).toBe('54');
    ledger.close();
  });

  it('a void comes before settlement, a day after the Purchase; a refund still comes after it', () => {
    const clock = standingClock('2026-01-05T10:00:00.000Z');
    const ledger = newLedger(':memory:', clock);
    decide(ledger, 'Purchase', { ...money('10.00'), tranId: 'a' });
    decide(ledger, 'Purchase', { ...money('10.00'), tranId: 'b' });
    const undo = (originalTranId: string, refundType: string) =>
      decide(ledger, 'Refund', { ...money('10.00'), originalTranId, refundType }).code;
    clock.move('2026-01-06T09:59:59.999Z');
    expect(undo('a', 'V')).toBe('00');
    clock.move('2026-01-06T10:00:00.000Z');
    expect(undo('b', 'V')).toBe('12');
    expect(undo('b', 'R')).toBe('00');
    ledger.close();
  });
});

describe('the database', () => {
  it('belongs to its owner alone, its log too, and holds no CVV2 or PIN block that was sent, nor a stranger’s number (I14)', () => {
    inDirectory(dir => {
      const file = join(dir, 'issuer.db');
      const ledger = newLedger(file);
      const canary = '4220007777777772';
      decide(ledger, 'Purchase', { ...money('1.00'), CVV2: '9173', pinBlock: 'FEDCBA9876543210' });
      decide(ledger, 'Purchase', { ...money('1.00'), cardNumber: canary });
      for (const each of [file, `${file}-wal`]) expect(statSync(each).mode & 0o777).toBe(0o600);
      const db = new DatabaseSync(file, { readOnly: true });
      const calls = JSON.stringify(db.prepare('SELECT content, answer FROM calls').all());
      db.close();
      ledger.close();
      expect(calls).toContain('422000******7772');
      for (const secret of ['9173', 'FEDCBA9876543210', canary]) expect(calls).not.toContain(secret);
    });
  });

  it('decides nothing when it cannot be written, and decides it when it can again (F72)', () => {
    inDirectory(dir => {
      const file = join(dir, 'issuer.db');
      const ledger = newLedger(file);
      const other = new DatabaseSync(file);
      other.exec(
        'CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, "disk full"); END'.replaceAll('"', "'"),
      );
      const sent = { ...money('10.00'), tranId: 'a' };
      expect(() => decide(ledger, 'Purchase', sent)).toThrow('disk full');
      expect(viewCard(ledger.store, 'card')?.availableBalance).toBe('1000.00');
      other.exec('DROP TRIGGER full');
      other.close();
      expect(decide(ledger, 'Purchase', sent)).toMatchObject({ code: '00', replayed: false });
      ledger.close();
    });
  });

  it('of another version is refused with what to do', () => {
    inDirectory(dir => {
      const file = join(dir, 'issuer.db');
      const db = new DatabaseSync(file);
      db.exec('PRAGMA user_version = 7');
      db.close();
      expect(() => new Ledger(file, systemClock)).toThrow('another version of the sandbox; delete it');
    });
  });

  it('keeps amounts beyond what a float holds, to the minor unit', () => {
    const ledger = newLedger();
    decide(ledger, 'LoadFund', money('90071992547.41'));
    expect(decide(ledger, 'Purchase', money('0.02')).fields).toMatchObject({ availableBalance: '90071993547.39' });
    ledger.close();
  });
});

/** A step names its original by how far back it is, so that shrinking keeps steps meaningful. */
type Step = {
  readonly api: string;
  readonly card: string;
  readonly to: string;
  readonly amount: number | undefined;
  readonly back: number;
  readonly extra: Fields;
  readonly again: boolean;
};

const CARDS = ['card', 'other', 'yen'];
const APIS = [
  'LoadFund',
  'Withdraw',
  'TransferFund',
  'Purchase',
  'Completion',
  'Refund',
  'Reversal',
  'BlockFund',
  'Increment',
  'UnblockFund',
  'ServiceCharge',
  'DebitAdjustment',
  'CreditAdjustment',
];
/** What each API that names an original fits; now and then it names something else. */
const ORIGINALS: Readonly<Record<string, readonly string[]>> = {
  Completion: ['BlockFund'],
  Increment: ['BlockFund'],
  UnblockFund: ['BlockFund'],
  Refund: ['Purchase'],
  Reversal: ['Purchase', 'Withdraw', 'LoadFund', 'TransferFund'],
};
const REAL_NAME: Readonly<Record<string, string>> = { Completion: 'Purchase', Increment: 'BlockFund' };

const step: fc.Arbitrary<Step> = fc.record({
  api: fc.constantFrom(...APIS),
  card: fc.constantFrom('card', 'card', 'card', ...CARDS),
  to: fc.constantFrom(...CARDS),
  // Few different amounts, so that undos often fit their originals.
  amount: fc.option(fc.constantFrom(1, 100, 300, 700, 1500), { nil: undefined }),
  back: fc.nat({ max: 8 }),
  extra: fc.constantFrom<Fields>({}, { partialAllowed: 'Y' }, { refundType: 'V' }),
  again: fc.boolean(),
});

type Sent = { readonly api: string; readonly fields: Fields; readonly answer: LedgerAnswer };

/** The call that a step means after those that were sent; undefined where it means none. */
function callOf(each: Step, at: number, sent: readonly Sent[]): { api: string; fields: Fields } | undefined {
  const fit = ORIGINALS[each.api];
  const fitting = sent.filter(({ api }) => fit?.includes(api) || each.back === 0);
  const original = fit && fitting[fitting.length - 1 - (each.back >> 1)];
  if (fit && !original) return undefined;
  const cardToken = original && each.back % 4 > 0 ? (original.fields.cardToken ?? 'card') : each.card;
  const tranCurrency = cardToken === 'yen' ? '392' : '840';
  const wantsAmount = each.api !== 'UnblockFund' || each.amount !== undefined;
  const amount = each.api === 'Reversal' ? (original?.fields.tranAmount ?? '1') : String(each.amount ?? 10);
  const { partialAllowed, refundType } = each.extra;
  const fields: Fields = {
    tranId: `s${at}`,
    cardToken,
    ...(wantsAmount && money(amount, tranCurrency)),
    ...(each.api === 'TransferFund' && { toCardToken: each.to }),
    ...(original && { originalTranId: original.fields.tranId ?? '' }),
    ...(each.api.endsWith('Adjustment') && { memo: 'test' }),
    ...(each.api === 'Purchase' && partialAllowed && { partialAllowed }),
    ...(each.api === 'Refund' && refundType && { refundType }),
  };
  return { api: REAL_NAME[each.api] ?? each.api, fields };
}

function expectLaws(ledger: Ledger, sent: readonly Sent[]): void {
  const accounts = new Map(ledger.store.accounts().map(({ name, balance }) => [name, balance]));
  for (const { sum } of viewBooks(ledger.store).currencies) expect(Number(sum)).toBe(0);
  for (const card of CARDS) {
    const held = accounts.get(`held:${card}`) ?? 0n;
    const parts = ledger.store.holdPartsOfCard(card, 1_000);
    expect(parts.reduce((sum, { remaining }) => sum + remaining, 0n)).toBe(held);
    for (const { remaining, amount } of parts) expect(remaining >= 0n && remaining <= amount).toBe(true);
    const effects = ledger.store.effects(card, 1_000);
    const change = effects.reduce((sum, { available }) => sum + available, 0n);
    expect(accounts.get(`available:${card}`)).toBe(OPENING_MINOR + change);
    for (const { refunded, booked } of effects) expect(refunded <= (booked ?? 0n)).toBe(true);
  }
  expectUndoneOnce(ledger, sent);
}

/** Of every original at most one Reversal had an effect, and that one was its exact opposite. */
function expectUndoneOnce(ledger: Ledger, sent: readonly Sent[]): void {
  const byOriginal = new Map<string, bigint>();
  for (const { api, fields } of sent) {
    const past = ledger.store.pastCall('100000', fields.tranId ?? '');
    if (api !== 'Reversal' || past?.booked === undefined) continue;
    const original = fields.originalTranId ?? '';
    expect(byOriginal.has(original)).toBe(false);
    byOriginal.set(original, past.booked);
    expect(ledger.store.pastCall('100000', original)?.booked).toBe(past.booked);
  }
}

describe('after any sequence of calls', () => {
  it('money is conserved, no hold is negative, nothing is undone twice, and a repeat changes nothing (I1, I3, I7, I8, I13)', () => {
    const approved = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 40, size: 'max' }), steps => {
        const ledger = newLedger();
        const sent: Sent[] = [];
        steps.forEach((each, at) => {
          const call = callOf(each, at, sent);
          if (!call) return;
          const answer = decide(ledger, call.api, call.fields);
          sent.push({ ...call, answer });
          if (answer.code === '00') approved.set(each.api, (approved.get(each.api) ?? 0) + 1);
          const repeated = each.again ? sent[each.back % sent.length] : undefined;
          if (!repeated) return;
          const before = ledger.store.accounts();
          expect(decide(ledger, repeated.api, repeated.fields)).toEqual({ ...repeated.answer, replayed: true });
          expect(ledger.store.accounts()).toEqual(before);
        });
        expectLaws(ledger, sent);
        ledger.close();
      }),
      { numRuns: 150 },
    );
    // What was never approved was never tested.
    for (const api of APIS) expect([api, (approved.get(api) ?? 0) > 0]).toEqual([api, true]);
  });

  it('a hold gives at most what was blocked, however releases and completions are cut (I7)', () => {
    const cut = fc.record({
      api: fc.constantFrom('UnblockFund', 'UnblockFund', 'Purchase'),
      amount: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.array(cut, { maxLength: 15 }), (blocked, cuts) => {
        const ledger = newLedger();
        decide(ledger, 'BlockFund', { ...money(String(blocked)), tranId: 'hold' });
        let given = 0;
        for (const { api, amount } of cuts) {
          const asked = { ...money(String(amount)), originalTranId: 'hold' };
          const seq = ledger.store.nextSeq();
          const { code } = decide(ledger, api, asked);
          const moved = ledger.store.effects('card', 100).some(effect => effect.seq === seq);
          if (code === '00' && moved) given += amount;
        }
        expect(given).toBeLessThanOrEqual(blocked);
        expect(ledger.store.balance('held:card') >= 0n).toBe(true);
        ledger.close();
      }),
      { numRuns: 100 },
    );
  });

  it('takes no posting that would make a hold negative, whoever asks', () => {
    const ledger = newLedger();
    const take = () => ledger.store.inTransaction(() => ledger.store.move(1n, 'held:card', 'available:card', 1n));
    expect(take).toThrow('CHECK constraint failed');
    expect(() => ledger.store.move(1n, 'available:card', 'available:yen', 1n)).toThrow('two currencies');
    expect(() => ledger.store.move(1n, 'available:card', 'external:840', 0n)).toThrow(RangeError);
    expect(BALANCE_MAX < 2n ** 63n).toBe(true);
    ledger.close();
  });
});

describe('the test cards', () => {
  it('are those that the tests name', () => {
    const ledger = newLedger();
    expect(
      decide(ledger, 'Verification', { cardNumber: NUMBER, CVV2: cvv2Of(ledger, NUMBER), expiryDate: '9912' }).code,
    ).toBe('00');
    ledger.close();
  });
});
