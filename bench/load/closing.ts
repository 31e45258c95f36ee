/**
 * What is done when the load is over, before the money is counted: every call that nobody can say the outcome of is asked
 * again under its `tranId` until it is told, and holds that still stand are released, so that no card is left with any.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Callers } from './callers.ts';
import type { LoadCall } from './loadCall.ts';
import { many } from './words.ts';

/** Asked at a time: a closing is no load. */
const AT_A_TIME = 16;
/** Between two rounds of asking, so that the gateway has time to learn it from the issuer. */
const PAUSE_MS = 500;

export type Closing = {
  readonly callers: Callers;
  readonly clock: Clock;
  /** How long to go on asking. */
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
};

/** What was open when the load ended, and what still is. */
export type Learned = { readonly askedAgain: number; readonly stillOpen: readonly LoadCall[] };

export async function close(closing: Closing): Promise<Learned> {
  const { callers, clock, timeoutMs, say } = closing;
  const untilMs = clock.monotonicMs() + timeoutMs;
  const open = openOf(callers);
  if (open.length > 0) say(`asking again for ${many(open.length, 'call')} without an outcome`);
  await learn(closing, untilMs);
  const held = callers.standingHolds();
  if (held.length > 0) say(`releasing ${many(held.length, 'hold')}`);
  await inTurns(
    held.map(hold => callers.make('unblockFund', hold.parts.card, hold.parts.amount, hold)),
    async call => void (await callers.ask(call)),
  );
  await learn(closing, untilMs);
  return { askedAgain: open.length, stillOpen: openOf(callers) };
}

const openOf = ({ calls }: Callers): readonly LoadCall[] => calls.filter(({ told }) => told.kind === 'open');

async function learn({ callers, clock }: Closing, untilMs: number): Promise<void> {
  for (;;) {
    const open = openOf(callers);
    if (open.length === 0) return;
    await inTurns(open, async call => {
      if (clock.monotonicMs() < untilMs) await callers.ask(call);
    });
    if (openOf(callers).length === 0 || clock.monotonicMs() >= untilMs) return;
    await clock.sleep(PAUSE_MS);
  }
}

/** Does it with all of them, so many at a time. */
export async function inTurns<Each>(all: readonly Each[], work: (each: Each) => Promise<void>): Promise<void> {
  const left = all[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const each of left) await work(each);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}
