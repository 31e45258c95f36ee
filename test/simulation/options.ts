/**
 * What one seed draws: the shape of the world and how often each thing goes wrong in it. Everything about a run that is
 * not chance is here, so that printing the options prints the run, and making them smaller makes the run simpler.
 */
import { Chance } from './chance.ts';

/** How often, from 0 (never) to 1. Each names one thing that may happen at one place. */
export const RATES = {
  // Between callers and gateways.
  requestLost: 0.1,
  answerLost: 0.2,
  requestTwice: 0.1,
  // Between gateways and the journal, for each call.
  journalRequestLost: 0.1,
  journalReplyLost: 0.15,
  journalLate: 0.15,
  journalTwice: 0.2,
  journalAway: 0.15,
  // Between gateways and issuers, for each send.
  connectFails: 0.15,
  connectHangs: 0.1,
  lostOnTheWay: 0.15,
  slowOnTheWay: 0.15,
  sentTwice: 0.3,
  resetAfterSend: 0.15,
  replyLost: 0.2,
  replyCut: 0.15,
  replyLate: 0.2,
  // What issuers do, for each message.
  declines: 0.3,
  slow: 0.3,
  doorShut: 0.1,
  serverError: 0.2,
  tooBusy: 0.1,
  redirect: 0.1,
  garbage: 0.1,
  wrongEcho: 0.15,
  wrongAmount: 0.1,
  wrongField: 0.1,
  unknownCode: 0.1,
  openCode: 0.3,
  partialApproval: 0.3,
  undoRefused: 0.5,
  // What callers do, for each transaction.
  twins: 0.3,
  altered: 0.2,
  byAnother: 0.1,
  givesUp: 0.3,
  reversed: 0.5,
  reversedEarly: 0.2,
  reversedWrongly: 0.3,
} as const;

/** How often in a minute something happens to the whole: to a gateway, the journal, or an issuer. */
export const EVENTS = {
  crash: 40,
  pause: 30,
  clockJump: 10,
  journalOutage: 20,
  journalReadOnly: 12,
  journalSlow: 12,
  failOver: 20,
  issuerOutage: 15,
  issuerHang: 15,
  flush: 3,
  restore: 6,
} as const;

export type Rate = keyof typeof RATES;
export type EventName = keyof typeof EVENTS;

export type Options = {
  /** The kind of trouble that rules, if any. */
  readonly theme: string;
  readonly journal: 'sqlite' | 'redis';
  readonly gateways: number;
  readonly clients: number;
  readonly issuers: number;
  readonly cards: number;
  readonly transactions: number;
  /** Length of act one, in milliseconds. */
  readonly actOneMs: number;
  readonly budgetMs: number;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly deliveriesMost: number;
  readonly maxProcessingMs: number;
  readonly remembersMs: number;
  /** How long a store that has lost data takes no money. */
  readonly amnesiaMs: number;
  readonly minimumCalls: number;
  readonly openMs: number;
  readonly largestMinor: number;
  readonly openingMinor: number;
  /** How far the clocks of the gateways are apart, and how much faster than true time one may run. */
  readonly skewMs: number;
  readonly drift: number;
  /** Every gateway is away for longer than any delivery is tried. */
  readonly longOutage: boolean;
  readonly rates: Readonly<Partial<Record<Rate, number>>>;
  readonly events: Readonly<Partial<Record<EventName, number>>>;
};

const HOUR_MS = 3_600_000;

/** What chance alone brings together too seldom: whole worlds in which one kind of trouble rules. */
const THEMES: Readonly<Record<string, Partial<Pick<Options, 'gateways' | 'rates' | 'events'>>>> = {
  any: {},
  /** Owners that stand still until others have taken over, and come back with an answer. */
  lateOwners: {
    gateways: 3,
    rates: { slow: 0.2, slowOnTheWay: 0.1, undoRefused: 0.5, reversed: 0.5 },
    events: { pause: 100, crash: 10 },
  },
  /** Doubts that outlive the issuer's memory. */
  forgotten: {
    gateways: 2,
    rates: { openCode: 0.3, serverError: 0.4, reversed: 0.6, reversedEarly: 0.1, replyLost: 0.2 },
    events: { issuerHang: 30 },
  },
  /** Leases that end early and Reversals that lose their gateway. */
  crashes: { gateways: 3, rates: { reversed: 0.6, reversedEarly: 0.3, slow: 0.1 }, events: { crash: 120 } },
  /** A store that cannot be relied on. */
  lossyStore: {
    rates: { journalReplyLost: 0.15, journalTwice: 0.2, journalLate: 0.1, reversed: 0.3 },
    events: { failOver: 30, restore: 8, flush: 5, journalReadOnly: 10, crash: 10 },
  },
};
const THEME_WEIGHTS = { any: 5, lateOwners: 2, forgotten: 1, crashes: 1, lossyStore: 1 } as const;
/** As in FoundationDB's simulation a run has only some of the faults, so that each is also seen without the others. */
const SHARE_OF_FAULTS = [0, 0.1, 0.3, 0.6] as const;
const LEAST_SHARE_OF_RATE = 0.1;

export function drawOptions(seed: number): Options {
  const chance = new Chance(seed, 'options');
  const budgetMs = chance.whole(700, 3000);
  const maxProcessingMs = Math.round(chance.skewed(1500, 15_000));
  const theme = chance.weighted(THEME_WEIGHTS);
  const { rates, events, ...shape } = THEMES[theme] ?? {};
  const isForgotten = theme === 'forgotten' || chance.hits(0.15);
  return {
    theme,
    journal: chance.hits(0.4) ? 'sqlite' : 'redis',
    gateways: chance.whole(1, 3),
    clients: chance.whole(1, 3),
    issuers: chance.whole(1, 2),
    cards: chance.whole(1, 5),
    transactions: Math.round(chance.skewed(5, 30)),
    actOneMs: Math.round(chance.skewed(2000, 15_000)),
    budgetMs,
    timeoutMs: chance.whole(200, budgetMs - 350),
    maxInFlight: chance.weighted({ 1: 1, 3: 2, 64: 7 }) === '64' ? 64 : chance.whole(1, 3),
    deliveriesMost: chance.hits(0.5) ? 16 : chance.whole(1, 3),
    maxProcessingMs,
    remembersMs: isForgotten ? maxProcessingMs + chance.whole(3000, 15_000) : 72 * HOUR_MS,
    amnesiaMs: Math.round(chance.skewed(1000, 15_000)),
    minimumCalls: chance.whole(2, 20),
    openMs: Math.round(chance.skewed(300, 8000)),
    largestMinor: Math.round(chance.skewed(200, 30_000)),
    openingMinor: Math.round(chance.skewed(5000, 1_000_000)),
    skewMs: chance.hits(0.3) ? 0 : Math.round(chance.skewed(1, 60_000)),
    drift: chance.hits(0.5) ? 0 : chance.between(0, 0.0005),
    longOutage: chance.hits(0.02),
    rates: { ...drawn(chance, RATES), ...rates },
    events: { ...drawn(chance, EVENTS), ...events },
    ...shape,
  };
}

function drawn<Name extends string>(
  chance: Chance,
  most: Readonly<Record<Name, number>>,
): Partial<Record<Name, number>> {
  const share = chance.pick(SHARE_OF_FAULTS);
  const rates: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(most) as Name[]) {
    const [isOn, rate] = [chance.hits(share), chance.between(LEAST_SHARE_OF_RATE, 1) * most[name]];
    if (isOn) rates[name] = Number(rate.toFixed(4));
  }
  return rates;
}

/** Simpler worlds than this one, the simplest first: without a fault, with half of it, with less of everything. */
export function* simpler(options: Options): Generator<Options> {
  for (const kind of ['events', 'rates'] as const) {
    for (const name of Object.keys(options[kind])) {
      const { [name]: _off, ...rest } = options[kind] as Record<string, number>;
      yield { ...options, [kind]: rest };
    }
  }
  const plain = { skewMs: 0, drift: 0, longOutage: false, gateways: 1, clients: 1, issuers: 1, cards: 1 } as const;
  for (const [name, value] of Object.entries(plain)) {
    if (options[name as keyof typeof plain] !== value) yield { ...options, [name]: value };
  }
  for (const part of [0.25, 0.5, 0.8]) {
    const transactions = Math.max(1, Math.floor(options.transactions * part));
    if (transactions < options.transactions) yield { ...options, transactions };
  }
  for (const kind of ['events', 'rates'] as const) {
    for (const [name, rate] of Object.entries(options[kind])) {
      if (rate > 0.01) yield { ...options, [kind]: { ...options[kind], [name]: Number((rate / 2).toFixed(4)) } };
    }
  }
}
