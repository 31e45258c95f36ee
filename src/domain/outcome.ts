/**
 * What became of one send to an issuer. There are three outcomes, never two: treating "we do not know" as a yes makes
 * money up, treating it as a no loses it.
 */
import type { WireFields } from './message.ts';
import type { ResponseCode } from './responseCode.ts';
import type { Secret } from './secret.ts';

/** A definite answer, as far as callers see it: the fields are those that the catalogue lists, in wire form. */
export type IssuerAnswer = {
  readonly code: ResponseCode;
  readonly desc: string;
  readonly fields: Secret<WireFields>;
};

/** Why it is certain that the issuer cannot have acted on this send. */
export type NotSentReason =
  | 'breakerOpen'
  /** The breaker has closed just now, and the issuer is sent few calls at a time at first. */
  | 'recovering'
  | 'noBudget'
  | 'connect'
  | 'refusedAtTheDoor'
  | 'notReplicated';

/** Why the outcome is open. A closed list: it labels metrics and log lines. */
export type UnknownReason =
  | 'timeout'
  | 'reset'
  | 'httpStatus'
  | 'garbage'
  | 'wrongEcho'
  | 'badField'
  | 'partialApproval'
  | 'openCode'
  | 'tooLarge'
  | 'internal';

export type Outcome =
  | { readonly kind: 'answered'; readonly status: 200 | 400; readonly answer: IssuerAnswer }
  | { readonly kind: 'notSent'; readonly reason: NotSentReason }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };
