/**
 * The simulation as a witness: runs the seeds from 1 to the number on the command line until one breaks an invariant, and
 * says which, and what it broke; `none` where none does.
 */
import { drawOptions } from '../simulation/options.ts';
import { run } from '../simulation/run.ts';

const most = Number(process.argv[2]);
let found = 'none';
for (let seed = 1; seed <= most && found === 'none'; seed += 1) {
  const { violations } = await run(seed, drawOptions(seed));
  if (violations.length > 0) found = `${seed} ${[...new Set(violations.map(({ invariant }) => invariant))].join(' ')}`;
}
process.stdout.write(`${found}\n`);
