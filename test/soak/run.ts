/**
 * One soak run in two acts: real gateways under a steady load while issuer, store and processes fail, or nothing does in
 * a calm run; then everything heals, what is owed is drained, what is not known is asked for, and the issuer's books decide.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig, redisUrlOf } from '../journey/rig.ts';
import { Chance } from '../simulation/chance.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { toMinor } from '../support/issuerLedger.ts';
import { waitFor } from '../support/waitFor.ts';
import { compareBooks } from './books.ts';
import { Faults, type Site } from './faults.ts';
import { CARDS, Callers, finalOf, OPENING, POOR_CARD, POOR_OPENING } from './load.ts';
import type { SoakOptions } from './options.ts';
import type { Count, Run } from './report.ts';
import { type Sample, takeSample } from './samples.ts';

/** Chains of calls that begin in a second: rates at which two busy cores still have time to spare. */
const PER_SECOND = { failing: 12, calm: 40 } as const;
/** A curve has about so many points, but they are never further apart than this. */
const POINTS = 240;
const SAMPLE_SECONDS_MOST = 5;
const SAMPLE_SECONDS_LEAST = 0.4;
/** Deliveries back off up to a minute; a claim's lease and two rounds of that. */
const DRAIN_MS = 240_000;
/** Answers that are asked for once more, and must be the same. */
const ASKED_AGAIN = 300;
const READY_MS = 90_000;

/** Times a good issuer keeps on a slow machine; a breaker that opens and closes several times in a run. */
const SETTINGS = {
  client: { budgetMs: 3000, scopes: ['Transaction', 'Card'] },
  issuer: {
    timeoutMs: 1500,
    maxProcessingMs: 2000,
    breaker: { errorPercent: 60, minimumCalls: 20, windowMs: 5000, openMs: 1000 },
  },
} as const;

type Clock = () => number;
type Watch = { readonly samples: Sample[]; readonly counts: Count[]; stop(): Promise<void> };

/** Runs it. `say` is told how it goes. Ends what it started, whatever happens. */
export async function runSoak(options: SoakOptions, say: (line: string) => void): Promise<Run> {
  const rig = new Rig();
  try {
    const site = await openSite(rig, options);
    const start = performance.now();
    const now = () => (performance.now() - start) / 1000;
    const callers = new Callers(site.gateways, new Chance(options.seed, 'callers'));
    const faults = new Faults(site, new Chance(options.seed, 'faults'), now);
    const watch = watchOver(site.gateways, callers, options, now);
    const { journal, seed, seconds, calm } = options;
    say(
      `gateways: ${site.gateways.length}; journal: ${journal}; seed: ${seed}; ${seconds} s of load${calm ? '' : ' and faults'}`,
    );
    await actOne(callers, calm ? undefined : faults, seconds);
    const loadEnd = now();
    say('draining');
    const late = await actTwo(site, callers);
    await watch.stop();
    const opening = new Map([...CARDS.map(card => [card, OPENING] as const), [POOR_CARD, POOR_OPENING] as const]);
    const minor = new Map([...opening].map(([card, balance]) => [card, toMinor(balance, '840')]));
    const wrong = [...late, ...compareBooks(callers.steps, site.issuer, minor), ...callers.surprises, ...defects(site)];
    return {
      options,
      gateways: site.gateways.length,
      samples: watch.samples,
      counts: watch.counts,
      marks: faults.marks,
      loadEnd,
      end: now(),
      told: toldBy(callers),
      effects: site.issuer.effects.length,
      wrong,
    };
  } finally {
    // What the issuer saw of breaches is in the report already.
    await rig.end().catch(() => undefined);
  }
}

async function openSite(rig: Rig, { journal }: SoakOptions): Promise<Site> {
  const cards = { ...Object.fromEntries(CARDS.map(card => [card, OPENING])), [POOR_CARD]: POOR_OPENING };
  const issuer = await rig.issuer({ cards });
  if (journal === 'sqlite') {
    return {
      issuer,
      store: undefined,
      gateways: [await rig.gateway(issuer, { ...SETTINGS, journalUrl: newSqliteUrl() })],
    };
  }
  const store = await rig.proxy(await rig.redis({ appendfsync: 'always' }));
  const open = () => rig.gateway(issuer, { ...SETTINGS, journalUrl: redisUrlOf(store) });
  return { issuer, store, gateways: await Promise.all([open(), open()]) };
}

/** @param faults none in a calm run. */
async function actOne(callers: Callers, faults: Faults | undefined, seconds: number): Promise<void> {
  const load = callers.run(faults ? PER_SECOND.failing : PER_SECOND.calm);
  const going = faults?.run(seconds / 2);
  await sleep(seconds * 1000);
  faults?.stop();
  await going;
  callers.stop();
  await load;
}

/** Until nothing is owed and everything is told; what did not end, in sentences. */
async function actTwo({ gateways, issuer }: Site, callers: Callers): Promise<string[]> {
  issuer.heal();
  const wrong: string[] = [];
  const attempt = async (what: string, run: () => Promise<unknown>) => {
    await run().catch(error => {
      // The first line says what; the others are all that was printed.
      wrong.push(`${what}: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'unknown error'}`);
    });
  };
  await Promise.all(
    gateways.map(gateway => attempt('a healed gateway is not ready', () => gateway.untilReady(READY_MS))),
  );
  // Nobody is there who could be asked.
  if (wrong.length > 0) return wrong;
  await attempt('a caller never learns its outcome', () => callers.learnAll(DRAIN_MS));
  await attempt('what is owed does not end', () =>
    waitFor('its end', () => isDrained(gateways), { timeoutMs: DRAIN_MS, everyMs: 500 }),
  );
  await attempt('an answer cannot be had again', () => callers.askAgain(ASKED_AGAIN));
  return wrong;
}

async function isDrained(gateways: readonly Gateway[]): Promise<boolean> {
  const all = await Promise.all(gateways.map((gateway, index) => takeSample(gateway, index, 0)));
  return all.every(sample => {
    const { doubts, due, parked } = sample?.values ?? {};
    return doubts === 0 && due === 0 && parked === 0;
  });
}

/** Samples at a steady pace until it is stopped, and once more then. */
function watchOver(gateways: readonly Gateway[], callers: Callers, { seconds }: SoakOptions, now: Clock): Watch {
  const samples: Sample[] = [];
  const counts: Count[] = [];
  const everyMs = Math.min(SAMPLE_SECONDS_MOST, Math.max(SAMPLE_SECONDS_LEAST, seconds / POINTS)) * 1000;
  let stopped = false;
  const look = async () => {
    const at = now();
    counts.push({ at, ...callers.counts });
    const taken = await Promise.all(gateways.map((gateway, index) => takeSample(gateway, index, at)));
    samples.push(...taken.filter(sample => sample !== undefined));
  };
  const going = (async () => {
    while (!stopped) {
      await look();
      await sleep(everyMs);
    }
    await look();
  })();
  return {
    samples,
    counts,
    stop: () => {
      stopped = true;
      return going;
    },
  };
}

function toldBy({ steps }: Callers): Map<string, number> {
  const told = new Map<string, number>();
  for (const step of steps) {
    const code = finalOf(step) ?? 'never taken';
    told.set(code, (told.get(code) ?? 0) + 1);
  }
  return told;
}

const defects = ({ gateways }: Site): string[] =>
  gateways.flatMap((gateway, index) => {
    const lines = gateway.logLines().filter(({ event }) => event === 'defect').length;
    const printed = gateway.stderr().trim();
    return [
      ...(lines > 0 ? [`gateway ${index + 1} logged ${lines} defects`] : []),
      ...(printed === '' ? [] : [`gateway ${index + 1} printed an error: ${printed.slice(0, 300)}`]),
    ];
  });
