/**
 * One call on its journey: what was decided about it before anything was claimed, what the log will say of it, and the
 * few ways in which it is told or refused.
 */
import type { JourneyDeps } from '../authorize.ts';
import type { ApiRow } from '../catalogue/row.ts';
import type { ClientConfig } from '../config/config.ts';
import type { Message } from '../domain/message.ts';
import type { IssuerAnswer, Outcome } from '../domain/outcome.ts';
import { type FieldError, Refusal, type RefusalReason, type ShedReason } from '../domain/refusal.ts';
import { meaningOf, type ResponseCode } from '../domain/responseCode.ts';
import { Secret } from '../domain/secret.ts';
import type { Answer, Facts, RequestOutcome, Seal } from '../http/journey.ts';
import type { IssuerLine } from '../issuer/issuer.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** A proved call, with everything that was decided about it before anything was claimed. */
export type Call = {
  readonly row: ApiRow;
  readonly client: ClientConfig;
  readonly message: Message;
  readonly line: IssuerLine;
  /** Gives the issuer's place back; idempotent. */
  readonly leave: () => void;
  readonly deadline: Deadline;
  readonly trail: Trail;
};

/** What the log will say of the call, and what its answer needs however it ends; filled in on the way. */
export type Trail = { -readonly [Name in keyof Facts]?: Facts[Name] } & {
  claiming?: Message;
  seal?: Seal | undefined;
};

export type Told = { readonly answer: Answer; readonly outcome: RequestOutcome };

export function told(
  { message }: Call,
  { code, desc, fields }: IssuerAnswer,
  how: { readonly replayed?: boolean; readonly outcome?: RequestOutcome | undefined } = {},
): Told {
  const outcome = how.outcome ?? (code === '00' ? 'approved' : 'declined');
  const { header } = message;
  return { answer: { status: 200, header, code, desc, fields, errors: [], replayed: how.replayed ?? false }, outcome };
}

export const inProgress = (call: Call): Told => told(call, plain('09'), { outcome: 'inProgress' });

/** An answer of our own: the code says it all. */
export const plain = (code: ResponseCode): IssuerAnswer => ({ code, desc: meaningOf(code), fields: new Secret({}) });

/** The outcome of what is never sent; the answer is kept like any decline. */
export const unsent = (code: ResponseCode): Outcome => ({ kind: 'answered', status: 200, answer: plain(code) });

export const refuse = (reason: RefusalReason, message: Message, errors: readonly FieldError[] = []): Refusal =>
  new Refusal(reason, errors, message.header);

export const shed = (why: ShedReason, message: Message): Refusal => new Refusal('overloaded', [], message.header, why);

/** Does the work, and adds what it took to what the log says. */
export async function timed<T>(
  { clock }: Pick<JourneyDeps, 'clock'>,
  { trail }: Pick<Call, 'trail'>,
  part: 'issuerMs' | 'journalMs',
  work: () => Promise<T>,
): Promise<T> {
  const began = clock.monotonicMs();
  try {
    return await work();
  } finally {
    trail[part] = (trail[part] ?? 0) + clock.monotonicMs() - began;
  }
}
