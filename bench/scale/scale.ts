/**
 * `npm run scale`: how the cost of a call grows with the size of messages, with clients, cards and entries in
 * the journal, and with what is owed to an issuer that is away. Tables for `docs/performance.md`.
 */
import { optionsOrCode } from '../engine/command.ts';
import { loadNow, machineHere } from '../engine/machine.ts';
import { makeSurroundings, type Surroundings } from '../engine/surroundings.ts';
import type { Say } from './growing.ts';
import { journalTables } from './journalSize.ts';
import { cardTables, clientTables, payloadTables } from './loads.ts';
import { type PartName, readOptions, type ScaleOptions, usage } from './options.ts';
import { owedTables } from './owed.ts';
import { replicaTables } from './replicas.ts';
import { leavePart } from './results.ts';
import { markdownOf, type Table } from './tables.ts';

const MEASURES: Readonly<
  Record<PartName, (options: ScaleOptions, around: Surroundings, say: Say) => Promise<Table[]>>
> = {
  payload: payloadTables,
  clients: clientTables,
  cards: cardTables,
  journal: (options, { credentials }, say) => journalTables(options, credentials, say),
  replicas: (options, { credentials }) => replicaTables(options, credentials),
  owed: owedTables,
};

/** Progress is for whoever watches; the tables are what is asked for. */
const say: Say = line => {
  process.stderr.write(`${line}\n`);
};

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOrCode(readOptions(args), usage());
  if (typeof options === 'number') return options;
  const around = await makeSurroundings(false);
  try {
    for (const part of options.only) {
      const [startedAt, machine] = [new Date().toISOString(), machineHere()];
      const tables = await MEASURES[part](options, around, say);
      for (const table of tables) process.stdout.write(`${markdownOf(table)}\n`);
      const file = leavePart(options.out, part, { startedAt, machine, tables });
      say(`${part}: in ${file}; load ${machine.loadBefore} before and ${loadNow()} now on ${machine.cores} cores`);
    }
  } finally {
    await around.end();
  }
  return 0;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
