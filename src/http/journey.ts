/**
 * The port between the HTTP server and the journey: what came in, before anything is believed about it, and what goes
 * back. Neither side needs more of the other, so that each can be built and tested alone.
 */
import type { ApiRow } from '../catalogue/row.ts';
import type { ApiName, ClientId, IssuerId } from '../domain/ids.ts';
import type { WireFields } from '../domain/message.ts';
import type { NotSentReason, UnknownReason } from '../domain/outcome.ts';
import { type FieldError, REFUSALS, type Refusal, type RefusalReason } from '../domain/refusal.ts';
import { meaningOf, type ResponseCode } from '../domain/responseCode.ts';
import { Secret } from '../domain/secret.ts';
import type { TokenRefusal } from '../edge/tokenEndpoint.ts';

/** How bodies travel inside TLS: as JSON, or as a compact JWE. */
export type Payload = 'plain' | 'encrypted';

/**
 * One call as it came in. A header that was sent more than once arrives as its values joined by `, ` (RFC 9110,
 * section 5.3), which is of the right form for none of these three: the check of each header refuses it in its turn.
 */
export type Inbound = {
  /** The row of the catalogue whose route matched. */
  readonly row: ApiRow;
  readonly requestId: string;
  /** The socket's own address. */
  readonly peer: string;
  /** The hops of all `X-Forwarded-For` lines, in the order sent: the last one was added by whoever connects to us. */
  readonly forwardedFor: readonly string[];
  readonly authorization: Secret<string> | undefined;
  readonly timestamp: string | undefined;
  readonly idempotencyKey: string | undefined;
  /**
   * The whole body as it was sent, read on the first call and not before. Throws `Refusal('http')` where it is too large
   * or cut short, or its encoding or media type is not the one of such a payload.
   */
  readonly readBody: (payload: Payload) => Promise<Uint8Array>;
  /** When the headers were complete, on the monotonic clock: the caller's budget counts from here. */
  readonly arrivedMonotonicMs: number;
};

/** What the caller is told. */
export type Answer = {
  readonly status: 200 | 307 | 400 | 401 | 403 | 404 | 429 | 500 | 503;
  /** The public header fields to echo, as far as they could be read. */
  readonly header: WireFields;
  readonly code: ResponseCode;
  readonly desc: string;
  /** The response's own fields. They may hold card data. */
  readonly fields: Secret<WireFields>;
  readonly errors: readonly FieldError[];
  /** Whether the answer was taken from the journal. */
  readonly replayed: boolean;
  /** With 307: where the call is to be repeated. */
  readonly location?: string | undefined;
};

/** How a call ended, for log and metrics. A closed list: it labels series. */
export type RequestOutcome =
  /** The issuer answered `00`, or any other definite code. */
  | 'approved'
  | 'declined'
  /** An answer from the journal. */
  | 'replayed'
  /** Told 09: the first call, or what it left behind, is still being settled. */
  | 'inProgress'
  | 'notSent'
  | 'unknown'
  /** Turned away by the gateway itself, before anything was claimed. */
  | 'refused'
  /** A defect of ours; the cause is in the log. */
  | 'failed';

/** What the journey knows about a call besides its answer. Every member is safe to log; there is no place for a body. */
export type Facts = {
  readonly outcome: RequestOutcome;
  readonly clientId?: ClientId | undefined;
  readonly issuer?: IssuerId | undefined;
  readonly refusal?: RefusalReason | undefined;
  /** Why the outcome is `notSent` or `unknown`, or more of why it was refused: a word of whoever refused. */
  readonly detail?: NotSentReason | UnknownReason | Refusal['detail'];
  /** Of our key that the message was sealed for: shows who still uses one that is to go. */
  readonly kid?: string | undefined;
  /** First six and last four digits, never more. */
  readonly maskedCard?: string | undefined;
  /** Milliseconds spent waiting for the issuer, and for the journal. */
  readonly issuerMs?: number | undefined;
  readonly journalMs?: number | undefined;
};

/** Seals the body of an answer for the client that was authenticated. */
export type Seal = (body: string) => Promise<string>;

export type Served = {
  readonly answer: Answer;
  readonly facts: Facts;
  /** Where the client's payloads are encrypted: an answer with 200 leaves sealed, every other one plain. */
  readonly seal?: Seal | undefined;
};

/** Serves one call to its end. Never rejects, and is not cancelled when the client hangs up. */
export type Journey = (inbound: Inbound) => Promise<Served>;

/** One finished request, as log and metrics see it: the server adds what it alone knows. */
export type RequestRecord = Facts & {
  readonly requestId: string;
  readonly peer: string;
  /** Absent where no route matched. */
  readonly api?: ApiName | undefined;
  readonly status: Answer['status'];
  readonly code: ResponseCode;
  readonly replayed: boolean;
  /** Milliseconds from arrival until the answer was handed to the socket. */
  readonly totalMs: number;
};

/** One finished request to the token endpoint or for one of the documents about it. Every member is safe to log. */
export type OauthRecord = {
  readonly endpoint: 'token' | 'metadata' | 'jwks';
  readonly requestId: string;
  readonly peer: string;
  /** Who asked, once that was proved. */
  readonly clientId: ClientId | undefined;
  readonly status: number;
  /** `http`: the request could not be read. A closed list: it labels series. */
  readonly result: 'issued' | 'served' | TokenRefusal | 'http' | 'failed';
  /** The digest of the token that was given. */
  readonly token?: string | undefined;
  readonly totalMs: number;
};

const NO_FIELDS = new Secret<WireFields>({});

/** The answer to a call that the gateway itself turns away: the same for every refusal of a class. */
export const refusedAnswer = (refusal: Refusal): Answer => {
  const { status, code } = REFUSALS[refusal.reason];
  return {
    status,
    code,
    desc: meaningOf(code),
    header: refusal.header,
    fields: NO_FIELDS,
    errors: refusal.errors,
    replayed: false,
    location: refusal.location,
  };
};
