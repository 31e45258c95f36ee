/**
 * What a load run is told, proved: numbers within their limits, the mix, the cards, who calls and whether that is enough to
 * call with. All problems are found before anything is sent.
 */
import { readFileSync } from 'node:fs';
import { type CurrencyCode, isCurrencyCode } from '../../src/domain/currencies.ts';
import { type OptionName, readWords, type Words } from './arguments.ts';
import type { LoadCard } from './loadCall.ts';
import { type Mix, parseMix } from './mix.ts';
import type { Schedule } from './schedule.ts';

export type LoadOptions = {
  readonly target: string | undefined;
  readonly schedule: Schedule;
  readonly mix: Mix;
  readonly amounts: { readonly least: number; readonly most: number };
  readonly maxOutstanding: number;
  readonly timeoutMs: number;
  readonly tries: number;
  /** Empty: those of the credentials. */
  readonly cards: readonly LoadCard[];
  readonly areShared: boolean;
  readonly caller: CallerOptions;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sites: readonly string[];
  readonly allowPlaintext: boolean;
  /** Undefined: the sandbox's where its own gateway is called. */
  readonly ledger: string | undefined;
  readonly settleMs: number;
  /** What is accepted; undefined: anything. */
  readonly accept: { readonly p99Ms: number | undefined; readonly failedPercent: number | undefined };
  readonly out: string;
};

/** Who calls: a credentials file of a sandbox, or an identity of its own. */
export type CallerOptions =
  | { readonly kind: 'file'; readonly file: string | undefined; readonly isOauth: boolean; readonly isPlain: boolean }
  | { readonly kind: 'bearer'; readonly tokenFile: string; readonly participantId: string }
  | {
      readonly kind: 'oauth';
      readonly clientId: string;
      readonly participantId: string;
      readonly signingKeyFile: string;
      /** Undefined: payloads are plain. */
      readonly decryptionKeyFile: string | undefined;
      readonly issuer: string | undefined;
      readonly tokenEndpoint: string | undefined;
      readonly scope: string | undefined;
    };

export const NO_LEDGER = 'none';

/** One machine's loader makes no more; several can be run beside each other. */
const RATE_MAX = 100_000;
const DAY_MS = 86_400_000;
/** What the money check must remember of each call: about a gigabyte. */
const CALLS_MAX = 2_000_000;
const OUTSTANDING_MAX = 65_536;
/** An amount of 9 digits is beyond any card's limit, and still exact. */
const AMOUNT_MAX = 1_000_000_000;

/** The options, or everything that is wrong with the words. */
export function readOptions(argv: readonly string[]): LoadOptions | { readonly problems: readonly string[] } | 'help' {
  const problems: string[] = [];
  const words = readWords(argv, problems);
  if (words.has('help')) return 'help';
  const read = new Reader(words, problems);
  const options: LoadOptions = {
    target: read.url('target'),
    schedule: {
      ratePerSecond: read.number('rate', { least: 0.1, most: RATE_MAX }),
      rampMs: read.time('ramp', 0),
      durationMs: read.time('duration', 1),
    },
    mix: read.mix(),
    amounts: read.amounts(),
    maxOutstanding: read.number('max-outstanding', { least: 1, most: OUTSTANDING_MAX, isWhole: true }),
    timeoutMs: read.time('timeout', 1),
    tries: read.number('tries', { least: 1, most: 100, isWhole: true }),
    cards: read.cards(),
    areShared: words.has('shared-cards'),
    caller: read.caller(),
    tls: read.tls(),
    sites: words.all('site').flatMap(text => read.urlIn('site', text) ?? []),
    allowPlaintext: words.has('dangerously-allow-plaintext'),
    ledger: words.text('ledger') === NO_LEDGER ? NO_LEDGER : read.url('ledger')?.replace(/\/+$/, ''),
    settleMs: read.time('settle', 0),
    accept: {
      p99Ms: words.has('p99') ? read.time('p99', 1) : undefined,
      failedPercent: words.has('failed') ? read.number('failed', { least: 0, most: 100 }) : undefined,
    },
    out: words.text('out') ?? '',
  };
  const { ratePerSecond, rampMs, durationMs } = options.schedule;
  if ((ratePerSecond * (rampMs / 2 + durationMs)) / 1000 > CALLS_MAX) {
    problems.push(`--rate and --duration make more than ${CALLS_MAX} calls, more than the money check can remember`);
  }
  return problems.length > 0 ? { problems } : options;
}

const TIME = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const NUMBER = /^\d{1,9}(\.\d{1,6})?$/;
const AMOUNTS = /^(\d{1,10})(?:-(\d{1,10}))?$/;
/** What stands for a card; a number of digits only is a card number, which has no place on a command line. */
const CARD = /^([A-Za-z0-9_-]{1,64})(?::(\d{3}))?$/;
const CARD_NUMBER = /^\d{12,19}$/;
const DEFAULT_CURRENCY = '840';

/** Reads one option after the other. What is wrong is noted, and something harmless stands in its place. */
class Reader {
  readonly #words: Words;
  readonly #problems: string[];

  constructor(words: Words, problems: string[]) {
    this.#words = words;
    this.#problems = problems;
  }

  number(
    name: OptionName,
    { least, most, isWhole = false }: { readonly least: number; readonly most: number; readonly isWhole?: boolean },
  ): number {
    const text = this.#words.text(name) ?? '';
    const value = Number(text);
    if (NUMBER.test(text) && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
    return this.#wrong(name, `must be a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}`, least);
  }

  /** Milliseconds; a number without a unit is seconds. */
  time(name: OptionName, leastMs: number): number {
    const [, number = '', unit = 's'] = TIME.exec(this.#words.text(name) ?? '') ?? [];
    const ms = number === '' ? Number.NaN : Number(number) * (UNITS[unit] ?? 1);
    if (ms >= leastMs && ms <= DAY_MS) return ms;
    const least = leastMs > 0 ? 'more than nothing' : 'a time';
    return this.#wrong(name, `must be ${least} and at most 24h, such as 500ms, 30s, 5m`, leastMs);
  }

  mix(): Mix {
    const mix = parseMix(this.#words.text('mix') ?? '');
    if (!('wrong' in mix)) return mix;
    for (const each of mix.wrong) this.#wrong('mix', each, undefined);
    return [];
  }

  amounts(): LoadOptions['amounts'] {
    const [, low = '', high = low] = AMOUNTS.exec(this.#words.text('amounts') ?? '') ?? [];
    const [least, most] = [Number(low), Number(high)];
    if (least >= 1 && most >= least && most <= AMOUNT_MAX) return { least, most };
    return this.#wrong('amounts', `must be two whole numbers from 1 to ${AMOUNT_MAX}, such as 100-2000`, {
      least: 1,
      most: 1,
    });
  }

  url(name: OptionName): string | undefined {
    const text = this.#words.text(name);
    return text === undefined ? undefined : this.urlIn(name, text);
  }

  urlIn(name: OptionName, text: string): string | undefined {
    const url = URL.parse(text);
    if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text;
    return this.#wrong(name, 'must be a URL such as https://cards.example/card-api, without a password', undefined);
  }

  cards(): readonly LoadCard[] {
    const typed = this.#words.text('cards')?.split(',') ?? [];
    const lines = this.#file('cards-file')?.split('\n') ?? [];
    const tokens = [...typed, ...lines].map(each => each.trim()).filter(each => each !== '' && !each.startsWith('#'));
    const given = this.#words.has('cards') || this.#words.has('cards-file');
    if (given && tokens.length === 0)
      this.#wrong(this.#words.has('cards') ? 'cards' : 'cards-file', 'names no card', []);
    const cards = tokens.flatMap(token => this.#card(token) ?? []);
    const twice = cards.find(({ cardToken }, at) => cards.findIndex(other => other.cardToken === cardToken) !== at);
    if (twice) this.#wrong('cards', `names ${twice.cardToken} twice`, undefined);
    return cards;
  }

  #card(text: string): LoadCard | undefined {
    const [, cardToken = '', currency = DEFAULT_CURRENCY] = CARD.exec(text) ?? [];
    // Neither the number nor what else it may be is repeated.
    if (CARD_NUMBER.test(cardToken)) return this.#wrong('cards', 'takes card tokens, no card numbers', undefined);
    if (cardToken === '') return this.#wrong('cards', 'has a card that is no TOKEN or TOKEN:CURRENCY', undefined);
    if (isCurrencyCode(currency)) return { cardToken, currency: currency satisfies CurrencyCode };
    return this.#wrong('cards', `${cardToken} has a currency that is none of ISO 4217`, undefined);
  }

  caller(): CallerOptions {
    const words = this.#words;
    const isBearer = words.has('token-file');
    const isOauth = words.has('client-id');
    if (isBearer && isOauth) this.#problems.push('--token-file and --client-id are two ways to call: give one');
    if (isBearer || isOauth) {
      for (const name of ['credentials', 'oauth'] as const) {
        if (words.has(name))
          this.#problems.push(`--${name} does not go with --${isBearer ? 'token-file' : 'client-id'}`);
      }
      this.#needs(['target', 'participant'], isBearer ? 'token-file' : 'client-id');
      if (!words.has('cards') && !words.has('cards-file')) this.#problems.push('--cards or --cards-file is needed');
    }
    if (isBearer) {
      this.#onlyWith(['signing-key', 'decryption-key', 'plain', 'issuer', 'token-endpoint', 'scope'], 'client-id');
      return {
        kind: 'bearer',
        tokenFile: words.text('token-file') ?? '',
        participantId: words.text('participant') ?? '',
      };
    }
    if (isOauth) return this.#oauth();
    this.#onlyWith(['signing-key', 'decryption-key', 'issuer', 'token-endpoint', 'scope'], 'client-id');
    if (words.has('participant')) this.#problems.push('--participant goes with --token-file or --client-id');
    if (words.has('plain') && !words.has('oauth')) this.#problems.push('--plain goes with --oauth or --client-id');
    const file = words.text('credentials');
    return { kind: 'file', file, isOauth: words.has('oauth'), isPlain: words.has('plain') };
  }

  #oauth(): CallerOptions {
    const words = this.#words;
    this.#needs(words.has('plain') ? ['signing-key'] : ['signing-key', 'decryption-key'], 'client-id');
    if (words.has('plain') && words.has('decryption-key')) this.#problems.push('--plain needs no --decryption-key');
    return {
      kind: 'oauth',
      clientId: words.text('client-id') ?? '',
      participantId: words.text('participant') ?? '',
      signingKeyFile: words.text('signing-key') ?? '',
      decryptionKeyFile: words.text('decryption-key'),
      issuer: words.text('issuer'),
      tokenEndpoint: this.url('token-endpoint'),
      scope: words.text('scope'),
    };
  }

  tls(): LoadOptions['tls'] {
    if (this.#words.has('cert') !== this.#words.has('key')) this.#problems.push('--cert and --key go together');
    const [ca, cert, key] = [this.#file('ca'), this.#file('cert'), this.#file('key')];
    return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  }

  #file(name: OptionName): string | undefined {
    const file = this.#words.text(name);
    if (file === undefined) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return this.#wrong(name, `${file} cannot be read`, undefined);
    }
  }

  #needs(names: readonly OptionName[], because: OptionName): void {
    for (const name of names) if (!this.#words.has(name)) this.#problems.push(`--${because} needs --${name}`);
  }

  #onlyWith(names: readonly OptionName[], other: OptionName): void {
    for (const name of names) if (this.#words.has(name)) this.#problems.push(`--${name} goes with --${other}`);
  }

  #wrong<Value>(name: OptionName, rule: string, instead: Value): Value {
    this.#problems.push(`--${name} ${rule}`);
    return instead;
  }
}
