/**
 * What can become of a call, as one closed union, and how an answer is read into it: only what echoes this very message
 * and has what its API promises is an answer.
 */
import { APIS, CODES, type HeaderMayName, type HeaderName } from './apis.ts';
import type { Fields } from './fields.ts';
import { isObject, objectIn, type Received } from './http.ts';
import type { Requests } from './requests.ts';
import type { Responses } from './responses.ts';
import type { May, Must } from './shapes.ts';

/** The name of an API, such as `Purchase`. */
export type ApiName = keyof Requests & keyof Responses;

/** The fields of an API as the caller gives them; header fields replace those that the client fills in. */
export type Message<Api extends ApiName> = Requests[Api] & May<HeaderName | HeaderMayName>;
type Envelope = Must<HeaderName | 'responseDesc'> & May<HeaderMayName>;

export type ResponseCode = Fields['responseCode'];
/** The codes of a final answer that is no approval. */
export type DeclineCode = Exclude<ResponseCode, '00' | '09'>;

/** What is known of every call, whatever became of it. */
export type Facts = {
  /** Repeat the call with it to learn more. */
  readonly tranId: string;
  /** The base URL of the site that the last request went to. */
  readonly site: string;
  /** How many requests were made. */
  readonly tries: number;
  /** `X-Request-Id` of the last answer, for whoever runs the gateway. */
  readonly requestId: string | undefined;
};

/** What is wrong with one field: its name (`body` for the whole, lower-case for a header), and the rule. */
export type FieldError = { readonly field: string; readonly reason: string };

export type Approved<Api extends ApiName> = {
  readonly kind: 'approved';
  readonly answer: Envelope & { readonly responseCode: '00' } & Responses[Api];
  /** Whether the answer is that of an earlier call with this `tranId`. */
  readonly replayed: boolean;
};
export type Declined<Api extends ApiName> = {
  readonly kind: 'declined';
  /** Final: another try is another `tranId`. */
  readonly answer: Envelope & { readonly responseCode: DeclineCode } & Partial<Responses[Api]>;
  readonly replayed: boolean;
};
/** The outcome is being settled. Call again with the same `tranId` to learn it, or send a Reversal. */
export type InProgress = {
  readonly kind: 'inProgress';
  readonly answer: Envelope & { readonly responseCode: '09' };
};
/** The gateway did not take the message. */
export type Refused = {
  readonly kind: 'refused';
  readonly status: number;
  /** Undefined where the answer is not the gateway's, but that of something in between. */
  readonly responseCode: ResponseCode | undefined;
  readonly responseDesc: string | undefined;
  readonly errors: readonly FieldError[];
  /** When the gateway wants to be asked again. */
  readonly retryAfterMs: number | undefined;
  /** Of a 307 to a site that was not named. */
  readonly location: string | undefined;
  /** True: an earlier try was lost, or this one may have been; call again with the same `tranId`. */
  readonly mayHaveHappened: boolean;
};
/** There was no usable answer. */
export type Unreachable = {
  readonly kind: 'unreachable';
  /** What could not be had. */
  readonly at: 'token' | 'keys' | 'answer';
  /** Such as `TIMEOUT`, `ECONNREFUSED`, `ABORTED`, `invalid_client`, `BAD_ANSWER`. There is nothing secret in it. */
  readonly code: string;
  /** True: a try may have arrived; call again with the same `tranId`. False: nothing has happened. */
  readonly mayHaveHappened: boolean;
};

export type Outcome<Api extends ApiName> = Approved<Api> | Declined<Api> | InProgress | Refused | Unreachable;
export type Result<Api extends ApiName> = Outcome<Api> & Facts;

/** What a call sends, header and all. */
export type Wire = Readonly<Record<string, unknown>> & { readonly participantId: string; readonly tranId: string };

/** Why an answer with 200 is none. */
export type BadAnswer = { readonly kind: 'badAnswer' };

/** The outcome that an answer with 200 tells; `text` is what was in its envelope. */
export function readAnswer<Api extends ApiName>(
  api: Api,
  sent: Wire,
  text: string | undefined,
  headers: Headers,
): Approved<Api> | Declined<Api> | InProgress | BadAnswer {
  const answer = text === undefined ? undefined : objectIn(text);
  if (!answer || answer.participantId !== sent.participantId || answer.tranId !== sent.tranId) return BAD;
  const code = codeIn(answer);
  if (code === undefined || !Object.values(answer).every(isValue)) return BAD;
  const replayed = headers.get('idempotent-replayed') === 'true';
  // What follows has been proved as far as the client relies on it.
  if (code === '09') return { kind: 'inProgress', answer: answer as InProgress['answer'] };
  if (code !== '00') return { kind: 'declined', answer: answer as Declined<Api>['answer'], replayed };
  return hasPromised(api, answer) ? { kind: 'approved', answer: answer as Approved<Api>['answer'], replayed } : BAD;
}

const BAD: BadAnswer = { kind: 'badAnswer' };

/** Values are strings, lists of strings, or lists of records of strings. */
const isValue = (value: unknown): boolean =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.every(each => typeof each === 'string' || isRecord(each)));
const isRecord = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every(each => typeof each === 'string' || Array.isArray(each));

function hasPromised(api: ApiName, answer: Readonly<Record<string, unknown>>): boolean {
  const { gives = [], each = [] } = APIS[api];
  if (!gives.every(name => Object.hasOwn(answer, name))) return false;
  const records: readonly unknown[] = Array.isArray(answer.recordList) ? answer.recordList : [];
  return records.every(record => isObject(record) && each.every(name => Object.hasOwn(record, name)));
}

const KNOWN: ReadonlySet<unknown> = new Set(CODES);
const isCode = (value: unknown): value is ResponseCode => KNOWN.has(value);
const codeIn = ({ responseCode }: Readonly<Record<string, unknown>>): ResponseCode | undefined =>
  isCode(responseCode) ? responseCode : undefined;

/** What an answer with any other status says. */
export function readRefusal({ status, headers, text }: Received): Refused {
  const body = objectIn(text) ?? {};
  const { responseDesc, errors } = body;
  const responseCode = codeIn(body);
  return {
    kind: 'refused',
    status,
    responseCode,
    responseDesc: responseCode !== undefined && typeof responseDesc === 'string' ? responseDesc : undefined,
    errors: Array.isArray(errors) ? errors.flatMap(fieldError) : [],
    retryAfterMs: retryAfterMs(headers.get('retry-after')),
    location: status === 307 ? (headers.get('location') ?? undefined) : undefined,
    // The gateway itself says 503 and 429 only where it has taken nothing, and 4xx likewise. What is between may not know.
    mayHaveHappened: status >= 500 && !(status === 503 && responseCode !== undefined),
  };
}

const fieldError = (error: unknown): FieldError[] => {
  const { field, reason } = isObject(error) ? error : {};
  return typeof field === 'string' && typeof reason === 'string' ? [{ field, reason }] : [];
};

/** RFC 9110, 10.2.3, in seconds; a date is left alone, as clocks differ. */
const retryAfterMs = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : undefined;
