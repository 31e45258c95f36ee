/**
 * The port to an issuer: one message out, one of three outcomes back, always before the deadline. Implementations never
 * throw; what they cannot classify is `unknown`, and `notSent` only where it is proved that no byte left.
 */
import type { ApiName, IssuerId } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import type { IssuerAnswer, Outcome } from '../domain/outcome.ts';
import type { Bulkhead } from '../runtime/bulkhead.ts';
import type { Deadline } from '../runtime/deadline.ts';

export type SendOptions = {
  /** When the outcome must be known; past it the send is given up as `unknown`, or as `notSent` where no byte left. */
  readonly deadline: Deadline;
  /** True on every send of this `tranId` after the first: adds the header `Repeat: true`. */
  readonly repeat: boolean;
  /**
   * Called at most once, after the send has ended as `unknown: timeout`, when its definite answer comes after all, with
   * HTTP 200. Absent: nobody waits for it.
   */
  readonly onLate?: (answer: IssuerAnswer) => void;
};

export interface IssuerConnector {
  /** Sends one message and waits for its outcome. Checks the deadline again right before the first byte. */
  send(message: Message, options: SendOptions): Promise<Outcome>;
  /** Ends the connections after what is in flight. */
  close(): Promise<void>;
}

export type BreakerState = 'closed' | 'open' | 'halfOpen';

/**
 * The circuit breaker of one issuer around its connector. Unknown outcomes and failed connects count as failures; every
 * definite answer, a decline too, counts as success.
 */
export interface GuardedIssuer {
  readonly state: BreakerState;
  /**
   * A live send. Refused by an open breaker it is `notSent: breakerOpen`, at once; where the breaker has just closed and
   * as many are out as the issuer is sent for the time being, `notSent: recovering`.
   */
  send(message: Message, options: SendOptions): Promise<Outcome>;
  /**
   * A delivery: always sent, whatever the state. It counts only while the breaker is half-open, where it may be the
   * probe, so that failing deliveries never open the breaker against debits.
   */
  deliver(message: Message, options: SendOptions): Promise<Outcome>;
  close(): Promise<void>;
}

/** One configured issuer with everything that bounds how it is used. */
export type IssuerLine = {
  readonly id: IssuerId;
  readonly issuer: GuardedIssuer;
  /** Live calls in flight; taken before the claim, so that a full one costs nothing but a 503. */
  readonly inFlight: Bulkhead;
  /** Deliveries have a lane of their own: debits never starve them, nor they debits. */
  readonly deliveries: Bulkhead;
  /** The issuer's budget for one send of this API. */
  readonly timeoutMs: (api: ApiName) => number;
  /** After this a message that the issuer has not seen will not be processed any more. */
  readonly maxProcessingMs: number;
  /**
   * How long after its claim a message may be sent again: as long as the issuer recognises a repeated `tranId`, less its
   * `maxProcessingMs`, since a message that it takes up late must still find it remembering.
   */
  readonly remembersMs: number;
};

/** The issuers as configured now; a reload changes what it gives. */
export type IssuerLines = {
  get(id: IssuerId): IssuerLine | undefined;
  all(): Iterable<IssuerLine>;
};
