/**
 * Makes a failing run simpler: turns its faults off one by one, halves what is left, and takes away gateways, callers and
 * transactions, for as long as the same invariant still breaks.
 */
import { type Options, simpler } from './options.ts';
import { type Outcome, run } from './run.ts';
import type { Sabotage } from './sabotage.ts';

/** Runs that may be tried: some minutes at the most. */
const TRIES_MOST = 400;

/** The simplest failing run that was found. */
export async function shrink(failing: Outcome, sabotage: Sabotage = {}): Promise<Outcome> {
  const [first] = failing.violations;
  if (!first) return failing;
  let best = failing;
  let tries = 0;
  for (let found = true; found; ) {
    found = false;
    for (const options of simpler(best.options)) {
      tries += 1;
      if (tries > TRIES_MOST) return best;
      const outcome = await run(failing.seed, options, sabotage);
      if (!outcome.violations.some(({ invariant }) => invariant === first.invariant)) continue;
      best = outcome;
      found = true;
      break;
    }
  }
  return best;
}

/** The command that runs it again, with the trace. */
export const replayOf = (seed: number, options: Options): string =>
  `npm run simulate -- --seed ${seed} --options '${JSON.stringify(options)}' --trace`;
