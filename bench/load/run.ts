/**
 * One run from its first inquiry to its report: is the target there and are the cards good, where do the books stand, the
 * load, what is still open, and the money.
 */
import { type Client, createClient } from '../../src/client/client.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { UsageError } from '../../src/sandbox/callMessage.ts';
import { type Access, accessOf } from './access.ts';
import { Callers } from './callers.ts';
import { close, inTurns } from './closing.ts';
import { type Balance, LedgerError, LedgerReader } from './ledger.ts';
import type { LoadCard } from './loadCall.ts';
import { OpenLoop } from './openLoop.ts';
import type { LoadOptions } from './options.ts';
import { Progress, type Screen } from './progress.ts';
import type { LoadReport } from './report.ts';
import { endMs } from './schedule.ts';
import { Tally } from './tally.ts';
import { verdictOf } from './verdict.ts';
import { openWire, type Wire } from './wire.ts';
import { askBalance, balanceIn, checkMoney } from './witness.ts';
import { many } from './words.ts';

export type RunParts = {
  readonly options: LoadOptions;
  /** `SANDBOX_DIR`. */
  readonly sandboxDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly screen: Screen;
  /** Ends the load; the money is checked all the same. */
  readonly signal: AbortSignal;
};

const TRIES_BEFORE = 2;

/** @throws UsageError where the load cannot begin */
export async function runLoad(parts: RunParts): Promise<LoadReport> {
  const wire = openWire(parts.options.tls);
  try {
    return await new Run(parts, wire).run();
  } finally {
    await wire.close();
  }
}

class Run {
  readonly #parts: RunParts;
  readonly #wire: Wire;
  readonly #tally: Tally;
  /** Only the load itself is measured, not what comes before and after it. */
  #isMeasured = false;

  constructor(parts: RunParts, wire: Wire) {
    this.#parts = parts;
    this.#wire = wire;
    this.#tally = new Tally(endMs(parts.options.schedule));
  }

  async run(): Promise<LoadReport> {
    const { options, clock, random, screen } = this.#parts;
    const startedAt = new Date(clock.wallMs()).toISOString();
    const access = await this.#access();
    const client = await clientOf(access);
    // Whoever forgot to start the target is to hear it soon.
    const hasty = await clientOf({
      ...access,
      client: { ...access.client, tries: Math.min(options.tries, TRIES_BEFORE) },
    });
    const opening = await balancesBefore(hasty, access);
    const ledger = await ledgerOf(access);
    const callers = new Callers({ ...options, client, cards: access.cards, tally: this.#tally, clock, random });
    screen.say(`${access.target} as ${access.caller}, ${many(access.cards.length, 'card')}`);
    const loop = await this.#load(callers);
    const closing = { callers, clock, timeoutMs: options.settleMs, say: screen.say };
    const learned = await close(closing);
    screen.say(typeof ledger === 'string' ? 'comparing what can be compared' : 'comparing with the ledger');
    const witness = { ledger, client, cards: access.cards, opening, areShared: options.areShared, clock };
    const money = await checkMoney({ ...witness, timeoutMs: options.settleMs }, callers.calls);
    const tally = this.#tally;
    const found = {
      loop,
      totals: tally.totals,
      kinds: tally.kinds(),
      stillOpen: learned.stillOpen.map(({ name }) => name),
      money,
    };
    return {
      ...found,
      startedAt,
      target: access.target,
      caller: access.caller,
      cards: access.cards.length,
      asked: askedOf(options),
      answers: tally.answers(),
      requests: tally.requests(),
      slots: tally.slots(),
      calls: callers.calls.length,
      askedAgain: learned.askedAgain,
      replays: callers.replays,
      verdict: verdictOf(found, options.accept),
    };
  }

  #access(): Promise<Access> {
    const { options, sandboxDir } = this.#parts;
    return accessOf(options, sandboxDir, {
      fetch: this.#wire.fetch,
      onTry: tried => {
        if (this.#isMeasured) this.#tally.request(tried);
      },
    });
  }

  async #load(callers: Callers): Promise<LoadReport['loop']> {
    const { options, clock, screen, signal } = this.#parts;
    const { schedule, maxOutstanding } = options;
    const startMs = clock.monotonicMs();
    const fullMs = startMs + schedule.rampMs;
    const call = (dueAtMs: number): Promise<void> => callers.callOfMix(dueAtMs, startMs, dueAtMs >= fullMs);
    const loop = new OpenLoop({ schedule, maxOutstanding, clock, call, signal });
    const progress = new Progress({ loop, tally: this.#tally, lengthMs: endMs(schedule), clock, screen });
    this.#isMeasured = true;
    const watching = progress.run();
    try {
      return await loop.run();
    } finally {
      this.#isMeasured = false;
      progress.stop();
      await watching;
    }
  }
}

function clientOf({ client }: Access): Promise<Client> {
  return createClient(client).catch((error: unknown) => {
    throw error instanceof TypeError ? new UsageError(`That cannot be called: ${error.message}.`) : error;
  });
}

/** Asks for each card's balance: whether the target answers, who we are there, and whether the cards are good. */
async function balancesBefore(client: Client, { cards, target }: Access): Promise<ReadonlyMap<string, Balance>> {
  const balances = new Map<string, Balance>();
  const problems = new Set<string>();
  await inTurns(cards, async card => {
    // Where nobody answers, one card is as good as all.
    if (problems.has(SILENT)) return;
    const result = await askBalance(client, card);
    const balance = balanceIn(result, card);
    if (balance) balances.set(card.cardToken, balance);
    if (result.kind === 'approved' && !balance) problems.add(currencyProblem(card, result.answer.balanceCurrency));
    else if (result.kind === 'declined' && result.answer.responseCode !== ISSUER_AWAY)
      problems.add(`${card.cardToken} is declined with ${result.answer.responseCode}`);
    else if (result.kind === 'refused') problems.add(refusal(result.status, result.responseDesc));
    else if (result.kind === 'unreachable') problems.add(SILENT).add(silence(result.at, result.code));
  });
  problems.delete(SILENT);
  if (problems.size > 0) throw new UsageError([`${target} cannot be loaded:`, ...problems].join('\n  '));
  return balances;
}

const SILENT = 'silent';
/** A load while the issuer is away is a load, too; there is only no balance to compare with. */
const ISSUER_AWAY = '91';

const currencyProblem = ({ cardToken, currency }: LoadCard, other: string): string =>
  `${cardToken} is in ${other}, not in ${currency}: name it ${cardToken}:${other}`;

const refusal = (status: number, says = ''): string =>
  `a BalanceInquiry is refused with HTTP ${status} ${says}`.trim() +
  (status === 401 || status === 403 ? ' (is it the right token or key, from an address that may call?)' : '');

function silence(at: 'token' | 'keys' | 'answer', code: string): string {
  const what = { token: 'no access token', keys: 'no key to encrypt with', answer: 'no answer' }[at];
  return `${what}: ${code}${code === 'ECONNREFUSED' ? ' (nothing listens there; npm start runs the sandbox)' : ''}`;
}

/** The ledger, or why it may not be read. One that was asked for must be there. */
async function ledgerOf({ ledger, cards }: Access): Promise<LedgerReader | string> {
  if (typeof ledger === 'string') return ledger;
  try {
    return await LedgerReader.open(ledger.url, cards);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    if (ledger.isAsked) throw new UsageError(`--ledger: ${error.message}.`);
    return error.message;
  }
}

const askedOf = ({ schedule, mix, maxOutstanding, tries, timeoutMs }: LoadOptions): LoadReport['asked'] => ({
  ...schedule,
  mix: mix.map(({ what, weight }) => `${what}:${weight}`).join(','),
  maxOutstanding,
  tries,
  timeoutMs,
});
