/**
 * The ids of the system as branded strings, so that one kind cannot be passed for another. A brand is given only
 * where the value has been proved: `edge/parse` for what callers send, `config` for what the operator writes.
 */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** The institution that owns the account (`participantId`), 1 to 15 characters. */
export type ParticipantId = Brand<string, 'ParticipantId'>;
/** The sender's unique id of a transaction (`tranId`), 1 to 32 of `[A-Za-z0-9_-]`. */
export type TranId = Brand<string, 'TranId'>;
/** The `id` of a client in the configuration. */
export type ClientId = Brand<string, 'ClientId'>;
/** The `id` of an issuer in the configuration. */
export type IssuerId = Brand<string, 'IssuerId'>;
/** The name of an API as in the catalogue, such as `Purchase`. */
export type ApiName = Brand<string, 'ApiName'>;

/** What idempotency is counted by: one transaction of one participant. */
export type EntryKey = { readonly participantId: ParticipantId; readonly tranId: TranId };

const TRAN_ID = /^[A-Za-z0-9_-]{1,32}$/;
const DERIVED = /^RV[A-Z2-7]{30}$/;

/** Whether the text has the form of a `tranId`. */
export const isTranId = (text: string): text is TranId => TRAN_ID.test(text);

/** Whether the text looks like a `tranId` that the gateway derives for its own undos; callers may not use such ids. */
export const looksDerived = (text: string): boolean => DERIVED.test(text);

/** The key as one unambiguous text: `tranId` cannot contain the separator. */
export const keyText = (key: EntryKey): string => `${key.tranId}/${key.participantId}`;
