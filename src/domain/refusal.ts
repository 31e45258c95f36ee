/**
 * Why the gateway itself turns a call away before anything is claimed: a closed list, one row each with its HTTP status
 * and response code. Up to the claim a refusal is thrown; after it nothing is thrown, outcomes are values.
 */
import type { WireFields } from './message.ts';
import type { ResponseCode } from './responseCode.ts';

type Row = { readonly status: 307 | 400 | 401 | 403 | 404 | 429 | 500 | 503; readonly code: ResponseCode };

export const REFUSALS = {
  /** The message failed verification; `errors` names each field and the rule it broke. */
  format: { status: 400, code: '30' },
  invalidParticipant: { status: 400, code: '01' },
  invalidCardNumber: { status: 400, code: '02' },
  invalidCardToken: { status: 400, code: '04' },
  invalidTransaction: { status: 400, code: '12' },
  invalidAmount: { status: 400, code: '13' },
  tranIdReused: { status: 400, code: '94' },
  /** The HTTP message itself is not acceptable: size, media type, target, a header sent twice. */
  http: { status: 400, code: '30' },
  /** The encrypted body could not be opened. Why is told to nobody: every cause looks the same, on purpose. */
  envelope: { status: 400, code: '30' },
  /** No authorization header, or not `Bearer` and one token. */
  authorizationHeader: { status: 401, code: '10' },
  /** Token unknown, expired or of a disabled client. Looks the same as the next two, on purpose. */
  token: { status: 403, code: '10' },
  address: { status: 403, code: '10' },
  scope: { status: 403, code: '10' },
  noSuchApi: { status: 404, code: '12' },
  /** The client's own rate limit. */
  rate: { status: 429, code: '65' },
  /** This site stands by: the call is to be repeated at another one. */
  standingBy: { status: 307, code: '91' },
  /** A bulkhead is full; nothing was claimed. */
  overloaded: { status: 503, code: '91' },
  draining: { status: 503, code: '91' },
  /** The journal is away, and the claim certainly never left us. */
  journalAway: { status: 503, code: '91' },
  /** The journal has lost data: where that was, nothing that moves money is claimed for some minutes, undos aside. */
  amnesia: { status: 503, code: '91' },
  internal: { status: 500, code: '96' },
} as const satisfies Record<string, Row>;

export type RefusalReason = keyof typeof REFUSALS;

/** Where and why a call was `overloaded`: nothing was claimed for any of them. A closed list: it labels series. */
export const SHED_REASONS = [
  /** A connection too many, which was closed unread. */
  'connections',
  /** Before anything was looked at: too many wait already, or it had waited for too long, or its caller hung up first. */
  'queueFull',
  'waitedTooLong',
  'hungUp',
  /** As many are being served as this process can hold. */
  'inFlight',
  /** Too many payloads of this client are being opened. */
  'opening',
  /** Its issuer has no place free. */
  'issuerFull',
  /** Too little of the caller's budget is left for the issuer. */
  'tooLate',
] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/** What is wrong with one field: its catalogue name (`body` for the whole, lower-case name for a header), and the rule. */
export type FieldError = { readonly field: string; readonly reason: string };

export class Refusal extends Error {
  readonly reason: RefusalReason;
  readonly errors: readonly FieldError[];
  /** The public header fields as far as they could be read, echoed in the answer. */
  readonly header: WireFields;
  /** For our own log only: a word from a closed list of whoever refused, never a value of the caller's. */
  readonly detail: string | undefined;
  /** Where the call is to be repeated. */
  readonly location: string | undefined;

  constructor(
    reason: RefusalReason,
    errors: readonly FieldError[] = [],
    header: WireFields = {},
    detail: string | undefined = undefined,
    location: string | undefined = undefined,
  ) {
    super(reason);
    this.name = 'Refusal';
    this.reason = reason;
    this.errors = errors;
    this.header = header;
    this.detail = detail;
    this.location = location;
  }
}
