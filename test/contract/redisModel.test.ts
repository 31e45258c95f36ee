/** The journal contract over the modelled Redis of the simulation: it must be a journal before it may lose anything. */
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { RedisModel } from '../simulation/redisModel.ts';
import { ModelledRedisJournal } from '../simulation/redisModelJournal.ts';
import { journalContract } from './journal.ts';

/** Nothing goes wrong on it. */
const line = { ask: <T>(_what: string, work: () => Promise<T>) => work(), isUp: () => true, nameOf: () => 'move' };
const observer = { claimed() {}, moved() {}, restored() {}, amnesia() {}, refused() {} };

journalContract('modelled redis', async () => {
  let server: RedisModel | undefined;
  return {
    open: async retentionMs => {
      server = server?.with(retentionMs) ?? new RedisModel(() => Date.now(), retentionMs);
      return new ModelledRedisJournal({
        server,
        line,
        observer,
        clock: systemClock,
        random: systemRandom,
        amnesiaMs: 1000,
      });
    },
    clear: async () => void server?.flush(),
    runs: 200,
  };
});
