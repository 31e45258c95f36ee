/**
 * The command `npm run attack-guards`: takes each guard away, one at a time, on a copy of the project, and shows that the
 * tests notice. Words on the command line choose the guards whose name, file or invariant has one of them. It ends with 1
 * where a guard's removal stays green, or where something is red or stuck before anything was removed.
 */
import { BORDERS } from './borders.ts';
import { DOUBTS } from './doubts.ts';
import type { Guard, Witness } from './guard.ts';
import { type Heard, Scratch } from './scratch.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const wordsOf = ({ name, file, keeps }: Guard): string[] => [name, file, keeps];
const asked = process.argv.slice(2);
const guards = [...DOUBTS, ...BORDERS].filter(
  guard =>
    asked.length === 0 || asked.some(word => wordsOf(guard).some(text => text === word || text.includes(` ${word}`))),
);

if (guards.length === 0) {
  say('npm run attack-guards -- [WORD ...]   all guards, or those whose name, file or invariant has one of the words:');
  for (const { keeps, name } of [...DOUBTS, ...BORDERS]) say(`  ${keeps.padEnd(3)}  ${name}`);
  process.exit(asked.includes('--help') ? 0 : 2);
}

const nameOf = (witness: Witness): string =>
  witness.kind === 'seeds' ? `simulation, ${witness.seeds} seeds` : `${witness.file}: ${witness.title.trim()}`;

/** Whole as it is everything is green: the tests in one run, the simulation with the most seeds that anyone asks for. */
async function isSound(scratch: Scratch): Promise<boolean> {
  const all = guards.flatMap(({ red }) => red);
  const most = Math.max(0, ...all.map(witness => (witness.kind === 'seeds' ? witness.seeds : 0)));
  const witnesses = all.filter(({ kind }) => kind === 'tests');
  const verdicts = await scratch.ask(most > 0 ? [...witnesses, { kind: 'seeds', seeds: most }] : witnesses);
  const unsound = [...verdicts].filter(([, { verdict }]) => verdict !== 'green');
  for (const [witness, { verdict }] of unsound) say(`${verdict} before anything was removed: ${nameOf(witness)}`);
  return unsound.length === 0;
}

/** Removes the guard and asks everybody who has to notice; prints a row for each. */
async function attack(scratch: Scratch, guard: Guard): Promise<Heard[]> {
  const heard = await scratch.without(guard, () => scratch.ask(guard.red));
  for (const [witness, { verdict, how }] of heard) {
    say([verdict.padEnd(5), guard.keeps.padEnd(3), guard.name.padEnd(58), nameOf(witness), how].join('  ').trimEnd());
  }
  return [...heard.values()];
}

const scratch = new Scratch();
const sound = await isSound(scratch);
const heard: Heard[] = [];
for (const guard of guards) heard.push(...(await attack(scratch, guard)));
const missed = heard.filter(({ verdict }) => verdict !== 'red').length;
say(`${guards.length} guards, ${heard.length} witnesses, ${missed} did not notice`);
process.exitCode = sound && missed === 0 ? 0 : 1;
