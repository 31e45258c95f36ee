/**
 * What a scripted issuer can be told to do with a message, and when. Faults are named by what the gateway meets; where
 * the issuer may or may not have acted before it fails, `effect` says which, and the default is the dangerous one.
 */
import type { ApiName } from './apiPaths.ts';
import type { IssuerRequest } from './scriptedIssuer.ts';

export type Behaviour =
  /** Acts and answers; `fields` are added to the answer or, as undefined, taken out of it. */
  | { readonly kind: 'answer'; readonly fields?: Readonly<Record<string, unknown>> }
  /** A definite decline, kept under the `tranId`. */
  | { readonly kind: 'decline'; readonly code: string }
  /** Reads the message and never answers; nothing is done. */
  | { readonly kind: 'hang' | 'resetBeforeEffect' }
  /** Acts, then never answers or resets the connection. */
  | { readonly kind: 'hangAfterEffect' | 'resetAfterEffect' }
  /** An HTTP status. Acts by default only for 5xx, which says nothing about what was done. */
  | { readonly kind: 'status'; readonly status: number; readonly effect?: boolean; readonly body?: string }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number; readonly effect?: boolean }
  /** 200 with HTML, with nothing, with half of the announced length and then a reset. */
  | { readonly kind: 'garbage' | 'emptyBody' | 'halfBody'; readonly effect?: boolean }
  /** The right answer, `bytes` (default 1) at a time every `everyMs` (default 200). */
  | { readonly kind: 'drip'; readonly bytes?: number; readonly everyMs?: number; readonly effect?: boolean }
  /** The right answer, but with a code that is in no list. */
  | { readonly kind: 'unknownCode'; readonly code?: string; readonly effect?: boolean }
  /** The right answer, but for another transaction: `field` (default `tranId`) is another's. */
  | { readonly kind: 'wrongEcho'; readonly field?: 'tranId' | 'participantId'; readonly effect?: boolean }
  /** An approval that names another amount. */
  | { readonly kind: 'wrongAmount'; readonly amount?: string; readonly effect?: boolean }
  /** One of the codes that leave the outcome open. Not kept: a repeat is decided anew or as the effect was. */
  | { readonly kind: 'code'; readonly code: '09' | '68' | '91' | '94' | '96' | '99'; readonly effect?: boolean }
  /** The right answer with `bytes` (default 8 MiB) of padding. */
  | { readonly kind: 'huge'; readonly bytes?: number; readonly effect?: boolean }
  /** Acts at once, answers `ms` later. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Stays in a queue; acts and answers when the test calls `release`. A Reversal meanwhile finds nothing: `25`. */
  | { readonly kind: 'queueUntilReleased' }
  /** Any bytes instead of an HTTP answer; then the connection is closed unless `keepOpen`. */
  | { readonly kind: 'raw'; readonly bytes: string; readonly effect?: boolean; readonly keepOpen?: boolean };

export type When = {
  /** How many messages this holds for; default all. */
  readonly times?: number;
  readonly tranId?: string;
  /** Any other condition. */
  readonly where?: (request: IssuerRequest) => boolean;
};

type Rule = { readonly api: ApiName | '*'; readonly behaviour: Behaviour; readonly when: When; left: number };

/** The rules of one issuer, in order; the first that fits decides, and without one the issuer simply answers. */
export class IssuerScript {
  #rules: Rule[] = [];

  add(api: ApiName | '*', behaviour: Behaviour, when: When): void {
    this.#rules.push({ api, behaviour, when, left: when.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules = [];
  }

  /** What to do with a message; counts the rule that says it. */
  next(request: IssuerRequest): Behaviour {
    const rule = this.#rules.find(candidate => candidate.left > 0 && fits(candidate, request));
    if (!rule) return { kind: 'answer' };
    rule.left -= 1;
    return rule.behaviour;
  }
}

const fits = ({ api, when }: Rule, request: IssuerRequest): boolean =>
  (api === '*' || api === request.api) &&
  (when.tranId === undefined || when.tranId === request.tranId) &&
  (when.where?.(request) ?? true);

/** Whether the issuer acts before it does what the behaviour says. */
export function hasEffect(behaviour: Behaviour): boolean {
  if ('effect' in behaviour && behaviour.effect !== undefined) return behaviour.effect;
  switch (behaviour.kind) {
    case 'decline':
    case 'hang':
    case 'resetBeforeEffect':
    case 'redirect':
    case 'queueUntilReleased':
      return false;
    case 'status':
      return behaviour.status >= 500;
    default:
      return true;
  }
}
