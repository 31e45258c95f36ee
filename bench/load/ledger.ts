/**
 * Reads the demo issuer's ledger over HTTP, card by card: balances, and every effect that was booked since this run began.
 */
import type { CurrencyCode } from '../../src/domain/currencies.ts';
import { type Money, parseMoney } from '../../src/domain/money.ts';
import type { LoadCard } from './loadCall.ts';

/** What one booked transaction changed on one card, in minor units. */
export type LedgerEffect = {
  readonly tranId: string;
  readonly type: string;
  readonly originalTranId: string | undefined;
  readonly available: bigint;
  readonly held: bigint;
};
/** Minor units. */
export type Balance = { readonly available: bigint; readonly held: bigint };

export type LedgerCard = {
  readonly cardToken: string;
  readonly before: Balance;
  readonly after: Balance;
  /** Since `before`, in the order in which they were booked. */
  readonly effects: readonly LedgerEffect[];
};

/** Why the ledger cannot be read, in words. */
export class LedgerError extends Error {}

type Page = { readonly balance: Balance; readonly total: number; readonly effects: readonly LedgerEffect[] };
type Reading = {
  readonly card: LoadCard;
  readonly before: Balance;
  readonly effects: LedgerEffect[];
  after: Balance;
  /** Effects before the next one to read. */
  read: number;
};

/** A ledger on this machine answers at once; one that is busy with the load's end takes a while. */
const ANSWER_MS = 20_000;
/** No ledger gives fewer than one effect a page, so that reading ends. */
const PAGES_MAX = 10_000;
/** More effects than any card has. */
const PAST_THE_END = 1e14;

export class LedgerReader {
  readonly #url: string;
  readonly #readings: readonly Reading[];

  private constructor(url: string, readings: readonly Reading[]) {
    this.#url = url;
    this.#readings = readings;
  }

  /**
   * Notes where each card's books stand now.
   *
   * @throws LedgerError
   */
  static async open(url: string, cards: readonly LoadCard[]): Promise<LedgerReader> {
    const readings: Reading[] = [];
    for (const card of cards) {
      // Past the end there are no effects, only the balance and their number.
      const { balance, total } = await readPage(url, card, PAST_THE_END);
      readings.push({ card, before: balance, after: balance, effects: [], read: total });
    }
    return new LedgerReader(url, readings);
  }

  /**
   * The books as they are now.
   *
   * @throws LedgerError
   */
  async read(): Promise<readonly LedgerCard[]> {
    for (const reading of this.#readings) await this.#readOn(reading);
    return this.#readings.map(({ card, before, after, effects }) => ({
      cardToken: card.cardToken,
      before,
      after,
      effects,
    }));
  }

  async #readOn(reading: Reading): Promise<void> {
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const { balance, total, effects } = await readPage(this.#url, reading.card, reading.read);
      reading.effects.push(...effects);
      reading.read += effects.length;
      // The balance belongs to the last effect that was read.
      reading.after = balance;
      if (reading.read >= total || effects.length === 0) return;
    }
  }
}

async function readPage(url: string, { cardToken, currency }: LoadCard, after: number): Promise<Page> {
  const at = `${url}/_sandbox/ledger/${encodeURIComponent(cardToken)}?after=${after}`;
  const response = await fetch(at, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) }).catch(
    () => undefined,
  );
  if (!response) throw new LedgerError(`no answer from ${url}`);
  if (response.status === 404) throw new LedgerError(`the ledger at ${url} does not know the card ${cardToken}`);
  if (response.status !== 200) throw new LedgerError(`the ledger at ${url} answers HTTP ${response.status}`);
  const body: unknown = await response.json().catch(() => undefined);
  const page = pageOf(body, currency);
  if (isRaw(body) && typeof body.balanceCurrency === 'string' && body.balanceCurrency !== currency) {
    throw new LedgerError(`${cardToken} is in ${body.balanceCurrency}, not in ${currency}`);
  }
  if (!page) throw new LedgerError(`what is at ${url} is no ledger of the demo issuer`);
  return page;
}

type Raw = Readonly<Record<string, unknown>>;
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function pageOf(body: unknown, currency: CurrencyCode): Page | undefined {
  if (!isRaw(body) || body.balanceCurrency !== currency || !Array.isArray(body.effects)) return undefined;
  const available = minorOf(body.availableBalance, currency);
  const held = minorOf(body.blockedAmount, currency);
  const effects = body.effects.map((each: unknown) => effectOf(each, currency));
  if (available === undefined || held === undefined || typeof body.effectsTotal !== 'number') return undefined;
  if (!effects.every(effect => effect !== undefined)) return undefined;
  return { balance: { available, held }, total: body.effectsTotal, effects };
}

function effectOf(raw: unknown, currency: CurrencyCode): LedgerEffect | undefined {
  if (!isRaw(raw)) return undefined;
  const available = minorOf(raw.availableChange, currency);
  const held = minorOf(raw.blockedChange, currency);
  if (available === undefined || held === undefined) return undefined;
  const originalTranId = textOf(raw.originalTranId) || undefined;
  return { tranId: textOf(raw.tranId), type: textOf(raw.tranType), originalTranId, available, held };
}

/** Minor units of an amount that may have a minus; undefined where it is none. */
export function minorOf(value: unknown, currency: CurrencyCode): bigint | undefined {
  const text = textOf(value);
  const isNegative = text.startsWith('-');
  const money: Money | string = parseMoney(isNegative ? text.slice(1) : text, currency);
  if (typeof money === 'string') return undefined;
  return isNegative ? -money.minor : money.minor;
}
