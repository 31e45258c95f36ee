/**
 * One call of a load: what is sent, the same each time it is asked again, and everything that it was told. What it should
 * have done to the money follows from the two.
 */
import type { ApiName, Message, Result } from '../../src/client/client.ts';
import type { CurrencyCode } from '../../src/domain/currencies.ts';
import { formatMoney } from '../../src/domain/money.ts';
import { KINDS, type KindName, labelOf } from './mix.ts';

export type LoadCard = { readonly cardToken: string; readonly currency: CurrencyCode };

/**
 * What is known of a call. `nothing`: the gateway said that it took nothing, or was never reached. `open`: it may have
 * happened. `final`: its answer, which cannot change any more.
 */
export type Told =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'open' }
  | { readonly kind: 'final'; readonly code: string; readonly authCode: string };

export type CallParts = {
  readonly tranId: string;
  readonly kind: KindName;
  readonly card: LoadCard;
  /** Minor units. */
  readonly amount: bigint;
  /** The card that a transfer goes to. */
  readonly target?: LoadCard | undefined;
  /** The transaction that it acts on. */
  readonly original?: LoadCall | undefined;
};

export class LoadCall {
  readonly parts: CallParts;
  /** The call that acts on it, if one was sent. */
  follower: LoadCall | undefined;
  #told: Told = { kind: 'nothing' };
  /** Other final answers than the first: there must never be one. */
  readonly otherAnswers: string[] = [];

  constructor(parts: CallParts) {
    this.parts = parts;
  }

  get told(): Told {
    return this.#told;
  }

  get api(): ApiName {
    return KINDS[this.parts.kind].api;
  }

  /** For people: what it was, and which. */
  get name(): string {
    return `${labelOf(this.parts.kind)} ${this.parts.tranId}`;
  }

  get isApproved(): boolean {
    return this.#told.kind === 'final' && this.#told.code === '00';
  }

  /** The same content each time, so that asking again is a repeat. */
  message(): Message<ApiName> {
    const { kind, tranId, card, amount, target, original } = this.parts;
    const { cardToken, currency } = card;
    const money = { tranAmount: formatMoney({ minor: amount, currency }), tranCurrency: currency };
    const message = {
      tranId,
      cardToken,
      ...(KINDS[kind].isInquiry ? {} : money),
      ...(target && { toCardToken: target.cardToken }),
      ...(original && { originalTranId: original.parts.tranId }),
    };
    // Each kind's row has the fields of its API; that they are right is for the gateway to say.
    return message as unknown as Message<ApiName>;
  }

  /** Takes in what it was told now. */
  hear(result: Result<ApiName>): void {
    if (result.kind === 'approved' || result.kind === 'declined') this.#hearFinal(result.answer);
    else if (this.#told.kind === 'nothing' && mayHaveHappened(result)) this.#told = { kind: 'open' };
  }

  #hearFinal(answer: { readonly responseCode: string; readonly authCode?: unknown }): void {
    const authCode = typeof answer.authCode === 'string' ? answer.authCode : '';
    const heard = { kind: 'final', code: answer.responseCode, authCode } as const;
    if (this.#told.kind !== 'final') this.#told = heard;
    else if (this.#told.code !== heard.code || this.#told.authCode !== authCode) {
      this.otherAnswers.push(authCode === '' ? heard.code : `${heard.code} (authCode ${authCode})`);
    }
  }
}

const mayHaveHappened = (result: Result<ApiName>): boolean =>
  result.kind === 'inProgress' || ('mayHaveHappened' in result && result.mayHaveHappened);

/** What one call should change on one card, in minor units. */
export type Change = { readonly cardToken: string; readonly available: bigint; readonly held: bigint };

/** What the call changes where it is approved, card by card. */
export function changesOf({ parts: { kind, card, amount, target } }: LoadCall): readonly Change[] {
  const { available, held, other } = KINDS[kind].effect;
  const own = { cardToken: card.cardToken, available: available * amount, held: held * amount };
  const isNothing = own.available === 0n && own.held === 0n;
  return [
    ...(isNothing ? [] : [own]),
    ...(target && other !== undefined ? [{ cardToken: target.cardToken, available: other * amount, held: 0n }] : []),
  ];
}
