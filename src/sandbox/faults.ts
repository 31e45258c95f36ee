/**
 * The faults that the demo issuer can be told to have, so that integrators and tests see what a real issuer does on a
 * bad day. What a fault does is one row of a table: whether the call takes effect, when it waits, and what is replied.
 */
import { isObject } from './body.ts';
import { handlerOf } from './handlers.ts';

/** What goes back over the wire. */
export type Reply = 'answer' | 'reset' | 'garbage' | 'wrongEcho' | 'truncated' | 'status500' | 'status503' | 'huge';

export type FaultRow = {
  /** Whether the ledger decides the call. */
  readonly effect: boolean;
  /** Where `delayMs` goes: before anything is done, as if the call were queued, or between the effect and the reply. */
  readonly waits: 'first' | 'beforeReply';
  readonly reply: Reply;
  /** Used where the fault gives no `delayMs`. */
  readonly delayMs: number;
};

/** The longest wait, and how long a hang lasts: longer than any caller stays. */
const DELAY_MAX_MS = 600_000;
const SLOW_MS = 1_000;

export const FAULTS = {
  /** Queued for `delayMs`, then decided and answered, also when the caller has gone. */
  slow: { effect: true, waits: 'first', reply: 'answer', delayMs: SLOW_MS },
  /** Never decided and never answered; the connection is reset after `delayMs`. */
  hang: { effect: false, waits: 'beforeReply', reply: 'reset', delayMs: DELAY_MAX_MS },
  /** Decided at once; answered after `delayMs`, which without one is never. */
  hangAfterEffect: { effect: true, waits: 'beforeReply', reply: 'answer', delayMs: DELAY_MAX_MS },
  resetBeforeEffect: { effect: false, waits: 'first', reply: 'reset', delayMs: 0 },
  resetAfterEffect: { effect: true, waits: 'first', reply: 'reset', delayMs: 0 },
  /** Decided, and answered 200 with a page of HTML. */
  garbage: { effect: true, waits: 'first', reply: 'garbage', delayMs: 0 },
  /** Decided, and answered under another `tranId`. */
  wrongEcho: { effect: true, waits: 'first', reply: 'wrongEcho', delayMs: 0 },
  /** Decided, and the connection closed half way through the answer. */
  truncated: { effect: true, waits: 'first', reply: 'truncated', delayMs: 0 },
  status500AfterEffect: { effect: true, waits: 'first', reply: 'status500', delayMs: 0 },
  /** Not decided. */
  status503: { effect: false, waits: 'first', reply: 'status503', delayMs: 0 },
  /** Decided, and the answer padded to 8 MiB. */
  huge: { effect: true, waits: 'first', reply: 'huge', delayMs: 0 },
} as const satisfies Record<string, FaultRow>;

export type FaultName = keyof typeof FAULTS;

/** A fault as it was asked for. */
export type Fault = {
  readonly fault: FaultName;
  /** Only calls of this API have it; absent: all. */
  readonly api?: string;
  readonly delayMs?: number;
  /** How many calls still have it; absent: until it is deleted. */
  readonly times?: number;
};

/** More than anybody sets by hand; it bounds the list. */
const LIST_MAX = 100;
const TIMES_MAX = 1_000_000;

const isFaultName = (text: string): text is FaultName => Object.hasOwn(FAULTS, text);

const isCount = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;

/** Reads a fault as it was posted, or says in one sentence what is wrong with it. */
export function parseFault(body: unknown): Fault | string {
  if (!isObject(body)) return 'a fault is a JSON object';
  const { fault, api, delayMs, times, ...rest } = body;
  if (Object.keys(rest).length > 0) return 'a fault has fault, and may have api, delayMs and times, and nothing else';
  if (typeof fault !== 'string' || !isFaultName(fault)) return `fault must be one of ${Object.keys(FAULTS).join(', ')}`;
  if (api !== undefined && (typeof api !== 'string' || !handlerOf(api))) {
    return 'api must be the name of an API, such as Purchase';
  }
  if (delayMs !== undefined && !isCount(delayMs, DELAY_MAX_MS)) {
    return `delayMs must be a whole number of milliseconds from 0 to ${DELAY_MAX_MS}`;
  }
  if (times !== undefined && !(isCount(times, TIMES_MAX) && times > 0)) {
    return `times must be a whole number from 1 to ${TIMES_MAX}`;
  }
  return {
    fault,
    ...(api !== undefined && { api }),
    ...(delayMs !== undefined && { delayMs }),
    ...(times !== undefined && { times }),
  };
}

/** The faults that are set now: the first one set that fits a call is the one that it has. */
export class FaultList {
  #faults: Fault[] = [];

  /** False where the list is full. */
  add(fault: Fault): boolean {
    if (this.#faults.length >= LIST_MAX) return false;
    this.#faults.push(fault);
    return true;
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly Fault[] {
    return this.#faults;
  }

  /** The fault of this call, counted off. */
  take(api: string): Fault | undefined {
    const at = this.#faults.findIndex(fault => fault.api === undefined || fault.api === api);
    const fault = this.#faults[at];
    if (fault?.times === undefined) return fault;
    if (fault.times > 1) this.#faults[at] = { ...fault, times: fault.times - 1 };
    else this.#faults.splice(at, 1);
    return fault;
  }
}
