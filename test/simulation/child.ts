/** One process of a simulation that is split over several: takes a range of seeds, gives what came of them, and ends. */
import { type Range, runRange } from './many.ts';

process.once('message', range => {
  void runRange(range as Range).then(tally =>
    process.send?.(tally, undefined, undefined, () => process.disconnect?.()),
  );
});
