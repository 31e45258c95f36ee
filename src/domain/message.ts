/**
 * A message whose form has been proved: the nine public header fields, and the API's own fields as they were sent.
 * The own fields may hold card data, so they travel in a `Secret`; what the journey decides by is lifted out beside them.
 */
import type { ApiName, EntryKey, ParticipantId, TranId } from './ids.ts';
import type { Money } from './money.ts';
import { Secret } from './secret.ts';

/** A value on the wire: a string, or a list of strings or of flat records. */
export type WireValue = string | readonly WireValue[] | { readonly [name: string]: WireValue };
export type WireFields = { readonly [name: string]: WireValue };

/** The nine public header fields in wire form; optional ones are absent when they were not sent. */
export type Header = {
  readonly participantId: ParticipantId;
  readonly tranBranch: string;
  readonly tranChnl: string;
  readonly tranCode?: string;
  readonly tranDate: string;
  readonly tranTime: string;
  readonly tranId: TranId;
  readonly tellerNo?: string;
  readonly terminalNo?: string;
};

export type Message = {
  readonly api: ApiName;
  readonly header: Header;
  /** The API's own fields exactly as sent, defaults not filled in. */
  readonly fields: Secret<WireFields>;
  /** `tranAmount` in `tranCurrency`, where the message has both. */
  readonly amount: Money | undefined;
  /** The transaction that this one completes, reverses, refunds, releases or adds to. */
  readonly originalTranId: TranId | undefined;
};

export const keyOf = (message: Message): EntryKey => ({
  participantId: message.header.participantId,
  tranId: message.header.tranId,
});

/** The message as the flat JSON object that goes over the wire. It may hold card data: never log it. */
export const wireOf = (message: Message): Secret<WireFields> =>
  new Secret({ ...message.header, ...message.fields.reveal() });
