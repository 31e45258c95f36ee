/**
 * Entries for tests: arbitrary drafts, and arbitrary lives of an entry told as steps that are made concrete only when
 * they are taken, because what may happen depends on what the entry is by then.
 */
import fc from 'fast-check';
import { CURRENCY_CODES } from '../../src/domain/currencies.ts';
import {
  type AttemptResult,
  apply,
  type Draft,
  type Entry,
  type Event,
  type Policy,
  type Sealed,
  type SettleOutcome,
  type StoredAnswer,
} from '../../src/domain/entry.ts';
import type { ApiName, ClientId, EntryKey, IssuerId, ParticipantId, TranId } from '../../src/domain/ids.ts';
import { isDefinite, RESPONSE_CODES, type ResponseCode } from '../../src/domain/responseCode.ts';

export const keyNamed = (tranId: string, participantId = '100000'): EntryKey => ({
  tranId: tranId as TranId,
  participantId: participantId as ParticipantId,
});

const TRAN_ID_CHARS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'];

/** Unique in practice: the suites that use one store for many runs rely on it. */
export const tranIds: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...TRAN_ID_CHARS), { minLength: 20, maxLength: 32 })
  .map(chars => chars.join(''));

/** With the characters that could break a key, a hash tag, a separator or a statement. */
export const participantIds: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('100000', '{07}', "a'b", 'a/b', 'a:b*', '}{', 'é€𝄞', '"\\', 'a b'),
  fc.string({ minLength: 1, maxLength: 15 }),
);

export const policies: fc.Arbitrary<Policy> = fc.constantFrom<Policy>('reverse', 'release', 'repeat', 'resend', 'undo');

/** Small ones, the wire's largest, and sums that no double can hold. */
export const minorUnits: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(1n, 1000n),
  fc.constantFrom(9_007_199_254_740_993n, 9_999_999_999_999_999n),
  fc.bigInt(1n, 9_999_999_999_999_999n),
);

const amounts = fc.option(fc.record({ minor: minorUnits, currency: fc.constantFrom(...CURRENCY_CODES.slice(0, 5)) }), {
  freq: 4,
});

const sealedTexts: fc.Arbitrary<Sealed> = fc
  .tuple(fc.constantFrom('keyA', 'keyB'), fc.base64String({ minLength: 4, maxLength: 64 }))
  .map(([key, body]) => `v2.${key}.${body.replaceAll(/[+/=]/g, '_')}` as Sealed);

export const drafts: fc.Arbitrary<Draft> = fc
  .record({
    tranId: tranIds,
    participantId: participantIds,
    client: fc.constantFrom('wallet', 'bank'),
    issuer: fc.constantFrom('issuer-a', 'issuer-b'),
    policy: policies,
    amount: amounts,
    message: sealedTexts,
    isTombstone: fc.boolean(),
    api: fc.constantFrom('Purchase', 'Refund'),
    leaseMs: fc.integer({ min: 1, max: 10_000 }),
  })
  .map(({ tranId, participantId, client, issuer, isTombstone, policy, api, leaseMs, ...rest }) => ({
    ...rest,
    key: keyNamed(tranId, participantId),
    client: client as ClientId,
    issuer: issuer as IssuerId,
    ...(isTombstone
      ? { policy: 'reverse' as const, birth: 'tombstone' as const }
      : { policy, birth: 'claim' as const, api: api as ApiName, leaseMs }),
  }));

/** One plain claim; what the case is about goes into `rest`. */
export function claimOf(
  tranId: string,
  rest: Partial<Extract<Draft, { birth: 'claim' }>> = {},
): Extract<Draft, { birth: 'claim' }> {
  return {
    birth: 'claim',
    key: keyNamed(tranId),
    client: 'wallet' as ClientId,
    issuer: 'issuer-a' as IssuerId,
    policy: 'reverse',
    amount: null,
    message: 'v2.keyA.c2VhbGVk' as Sealed,
    api: 'Purchase' as ApiName,
    leaseMs: 60_000,
    ...rest,
  };
}

export function tombstoneOf(tranId: string, rest: Partial<Draft> = {}): Draft {
  const { api: _api, leaseMs: _leaseMs, ...shared } = claimOf(tranId);
  return { ...shared, ...rest, birth: 'tombstone' } as Draft;
}

/** The codes by which an issuer tells for certain. */
export const DEFINITE: readonly ResponseCode[] = Object.keys(RESPONSE_CODES).filter((code): code is ResponseCode =>
  isDefinite(code as ResponseCode),
);

const answers: fc.Arbitrary<StoredAnswer> = fc.record({
  // Approvals are what most rules are about.
  code: fc.oneof(fc.constant<ResponseCode>('00'), fc.constantFrom(...DEFINITE)),
  sealed: fc.option(sealedTexts),
});

const settleOutcomes: fc.Arbitrary<SettleOutcome> = fc.oneof(
  fc.record({ kind: fc.constant('answered' as const), answer: answers }),
  fc.constant({ kind: 'notSent' } as const),
  fc.constant({ kind: 'unknown' } as const),
);

/** Something that may happen to an entry; what it means exactly depends on the entry. */
export type Step = {
  readonly type: Event['type'];
  /** Milliseconds since the step before. */
  readonly wait: number;
  readonly outcome: SettleOutcome;
  /** Which of the owners that there ever were speaks: 0 the present one, else one before. */
  readonly owner: number;
  readonly result: AttemptResult['kind'];
  readonly answer: StoredAnswer;
  readonly leaseMs: number;
  readonly askAgain: boolean;
};

export const PARK_AFTER_MS = 200_000;
export const REMEMBERS_MS = 150_000;
export const MAX_PROCESSING_MS = 8000;

export const steps: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom<Event['type']>('settle', 'takeOver', 'mark', 'claimAgain', 'lease', 'attempted', 'late'),
  wait: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 12_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(REMEMBERS_MS / 2, PARK_AFTER_MS) },
  ),
  outcome: settleOutcomes,
  owner: fc.nat({ max: 2 }),
  result: fc.constantFrom<AttemptResult['kind']>('done', 'absent', 'open', 'refused'),
  answer: answers,
  leaseMs: fc.integer({ min: 1, max: 10_000 }),
  askAgain: fc.boolean(),
});

/** The event that the step means for this entry at this time; undefined where it cannot happen to it. */
export function eventOf(entry: Entry, step: Step, now: number): Event | undefined {
  const { leaseMs } = step;
  switch (step.type) {
    case 'settle':
      // A tombstone was claimed by nobody, so that nobody can settle it.
      if (entry.standing.at === 'tombstone') return undefined;
      return { type: 'settle', fence: Math.max(1, entry.fence - step.owner), outcome: step.outcome, now };
    case 'takeOver':
    case 'mark':
      return { type: step.type, now };
    case 'claimAgain':
      return { type: 'claimAgain', now, leaseMs, remembersMs: REMEMBERS_MS, askAgain: step.askAgain };
    case 'lease':
      return { type: 'lease', now, leaseMs, limits: { remembersMs: REMEMBERS_MS, parkAfterMs: PARK_AFTER_MS } };
    case 'attempted': {
      const result = resultOf(entry, step);
      return result && { type: 'attempted', result, nextAt: now + leaseMs, maxProcessingMs: MAX_PROCESSING_MS };
    }
    case 'late':
      return { type: 'late', answer: step.answer, at: now - leaseMs, now };
  }
}

/** What a try can bring: an undo brings no answer, and only an undo is told that its original is not there. */
function resultOf({ duty }: Entry, { result, answer }: Step): AttemptResult | undefined {
  if (duty.is !== 'due') return { kind: 'open' };
  switch (result) {
    case 'done':
      return { kind: 'done', answer: duty.kind === 'undo' ? null : answer };
    case 'absent':
    case 'refused':
      return duty.kind === 'undo' ? { kind: result } : undefined;
    case 'open':
      return { kind: 'open' };
  }
}

/** One step of a life: what it was, and what it made of the entry. */
export type Turn = { readonly before: Entry; readonly event: Event; readonly after: Entry; readonly now: number };

/** The life of an entry from its birth, steps that cannot happen left out. */
export function live(first: Entry, story: readonly Step[]): Turn[] {
  const turns: Turn[] = [];
  let [entry, now] = [first, first.claimedAt];
  for (const step of story) {
    now += step.wait;
    const event = eventOf(entry, step, now);
    if (!event) continue;
    const after = apply(entry, event);
    turns.push({ before: entry, event, after, now });
    entry = after;
  }
  return turns;
}
