/**
 * Who is asked what really happened: the demo issuer's ledger where it may be read, else the gateway's own balances, which
 * show that the money adds up but not which transaction is wrong. Undos that are still on their way are given time.
 */
import type { ApiName, Client, Result } from '../../src/client/client.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { type Balance, LedgerError, type LedgerReader, minorOf } from './ledger.ts';
import type { LoadCall, LoadCard } from './loadCall.ts';
import { accountFor, type Comparison, changedAnswers, compareBooks, isPending, toldTotals } from './money.ts';

export type MoneyReport = Comparison & {
  /** `ledger`: every transaction and every card. `balances`: cards only. `none`: nobody could be asked. */
  readonly witness: 'ledger' | 'balances' | 'none';
  /** Why it was not the ledger, in words. */
  readonly why: string;
};

export type Witness = {
  /** The ledger, or why it may not be read. */
  readonly ledger: LedgerReader | string;
  readonly client: Client;
  readonly cards: readonly LoadCard[];
  /** Balances before the run, as the gateway told them; what it would not tell is missing. */
  readonly opening: ReadonlyMap<string, Balance>;
  readonly areShared: boolean;
  readonly clock: Clock;
  /** How long to wait for undos. */
  readonly timeoutMs: number;
};

/** Between two looks. */
const PAUSE_MS = 500;

/** Compares, again and again while something may still pass and there is time. */
export async function checkMoney(witness: Witness, calls: readonly LoadCall[]): Promise<MoneyReport> {
  const { clock, timeoutMs } = witness;
  const untilMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const report = await lookOnce(witness, calls);
    const mayPass = report.differences.some(difference => difference.mayPass);
    if (!mayPass || clock.monotonicMs() >= untilMs) return report;
    await clock.sleep(PAUSE_MS);
  }
}

async function lookOnce(witness: Witness, calls: readonly LoadCall[]): Promise<MoneyReport> {
  const { ledger, cards, areShared } = witness;
  if (typeof ledger === 'string') return byBalances(witness, calls, ledger);
  try {
    const comparison = compareBooks({ calls, cards, ledger: await ledger.read(), areShared });
    return { ...comparison, witness: 'ledger', why: '' };
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return byBalances(witness, calls, error.message);
  }
}

/** Without the ledger: what each card has now against what it had and what was told. */
async function byBalances(witness: Witness, calls: readonly LoadCall[], why: string): Promise<MoneyReport> {
  const { cards, client, opening, areShared } = witness;
  const changed = calls.flatMap(changedAnswers);
  const nothing = { cards: [], strangers: 0 };
  const isOpen = calls.some(({ told }) => told.kind === 'open');
  if (areShared || isOpen) {
    const because = areShared ? 'others use the cards too' : 'some outcomes are open';
    return { ...nothing, differences: changed, witness: 'none', why: `${why}; balances say nothing, as ${because}` };
  }
  const told = toldTotals(calls, new Map());
  const lines = [];
  for (const card of cards) {
    const before = opening.get(card.cardToken);
    const after = balanceIn(await askBalance(client, card), card);
    if (!before || !after) continue;
    const change = told.get(card.cardToken) ?? { available: 0n, held: 0n };
    // What is held is not in what the gateway tells of every issuer.
    const available = (balance: Balance): Balance => ({ available: balance.available, held: 0n });
    lines.push(
      accountFor(card, {
        before: available(before),
        change: available(change),
        after: available(after),
        isPending: isPending(calls),
      }),
    );
  }
  if (lines.length === 0)
    return { ...nothing, differences: changed, witness: 'none', why: `${why}; no balance either` };
  return {
    differences: [...changed, ...lines.flatMap(({ difference }) => difference)],
    cards: lines.map(({ line }) => line),
    strangers: 0,
    witness: 'balances',
    why,
  };
}

/** Asks the gateway for a card's balance. */
export const askBalance = (client: Client, { cardToken }: LoadCard): Promise<Result<'BalanceInquiry'>> =>
  client.call('BalanceInquiry', { cardToken });

/** The balance in an answer; undefined where there is none in the card's currency. */
export function balanceIn(result: Result<ApiName>, { currency }: LoadCard): Balance | undefined {
  const answer: Readonly<Record<string, unknown>> = 'answer' in result ? result.answer : {};
  const available = answer.balanceCurrency === currency ? minorOf(answer.availableBalance, currency) : undefined;
  return available === undefined ? undefined : { available, held: 0n };
}
