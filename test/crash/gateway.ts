/**
 * The gateway as `src/main.ts` runs it, with a journal that stops at the planned point and kills the process there. With
 * no plan it is the plain gateway.
 */
import { configFile, environment } from '../../src/config/environment.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { serve } from '../../src/main.ts';
import { replaced } from '../support/replacedJournal.ts';
import { type CrashPoint, PLAN_FILE, readPlan } from './plan.ts';

const planFile = environment[PLAN_FILE] ?? '';
const reached = new Set<string>();

/** Goes on where nothing is planned for this entry at this point; else never returns. */
async function pass(at: CrashPoint, { key }: Pick<Entry, 'key'>): Promise<void> {
  const plan = readPlan(planFile);
  if (plan?.at !== at || !plan.tranIds.includes(key.tranId)) return;
  reached.add(key.tranId);
  if (reached.size === plan.tranIds.length) process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}

const isTry = (from: Entry, to: Entry): boolean =>
  from.duty.is === 'due' && to.duty.is === 'due' && to.duty.tries > from.duty.tries;

const withCrashes = (journal: Journal): Journal => {
  const crashing: Pick<Journal, 'claim' | 'move'> = {
    claim: async (draft, writeId) => {
      const reply = await journal.claim(draft, writeId);
      await pass('begin', draft);
      return reply;
    },
    move: async (from, to, writeId) => {
      const isSettle = from.standing.at === 'claimed';
      if (isSettle) await pass('answered', from);
      if (from.duty.is === 'due' && to.duty.is === 'delivered') await pass('acknowledged', from);
      const reply = await journal.move(from, to, writeId);
      if (isSettle) await pass('stored', from);
      if (isTry(from, to)) await pass('delivering', from);
      return reply;
    },
  };
  return replaced(journal, crashing);
};

const file = configFile(process.argv.slice(2), environment);
process.exit(await serve({ file: file ?? '', env: environment, wrapJournal: withCrashes }));
