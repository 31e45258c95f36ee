/**
 * The words after `npm run load --`, read by one table: what each option takes, what it means, and what it is without being
 * given. Everything that is wrong is told at once; the options that the run works with are made of it in `options`.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from '../../src/config/suggest.ts';
import { MIX_DEFAULT } from './mix.ts';

type Row = {
  /** What stands behind it; absent for a switch. */
  readonly takes?: string;
  readonly default?: string;
  readonly says: string;
  readonly isRepeatable?: true;
};

/** The options in the order of the help text, in groups. */
const GROUPS = {
  'The load': {
    target: { takes: 'URL', says: "the gateway; without a path /card-api is added. Default: the running sandbox's" },
    rate: {
      takes: 'N',
      default: '50',
      says: 'calls a second, made when they are due, whatever became of those before',
    },
    duration: { takes: 'TIME', default: '30s', says: 'how long the full rate lasts: 500ms, 30s, 5m, 1h' },
    ramp: {
      takes: 'TIME',
      default: '2s',
      says: 'how long the rate climbs before; not in the latencies, but in the money',
    },
    mix: { takes: 'LIST', default: MIX_DEFAULT, says: 'what the calls are, by weight' },
    amounts: { takes: 'N-N', default: '100-2000', says: 'least and most of an amount, in minor units of the card' },
    'max-outstanding': { takes: 'N', default: '512', says: 'calls that wait for an answer at a time, at most' },
    timeout: { takes: 'TIME', default: '10s', says: 'for one request; more than the budget that the gateway gives' },
    tries: { takes: 'N', default: '6', says: 'requests of one call: after 09, 429, 503 or no answer it is sent again' },
  },
  'The cards': {
    cards: { takes: 'LIST', says: 'card tokens; TOKEN:392 for one that is not in 840. Default: of the credentials' },
    'cards-file': { takes: 'FILE', says: 'the same, one on each line' },
    'shared-cards': { says: 'others use them too: what is not of this run is not called a difference' },
  },
  'Who calls': {
    credentials: { takes: 'FILE', says: "as npm start writes it. Default: the sandbox's credentials.json" },
    oauth: { says: 'as its OAuth client: signed assertion, access token, encrypted payloads' },
    'token-file': { takes: 'FILE', says: 'instead: a bearer token, alone in a file' },
    'client-id': { takes: 'ID', says: 'instead: an OAuth client, with the keys below' },
    'signing-key': { takes: 'FILE', says: 'its private EC key, a JWK' },
    'decryption-key': { takes: 'FILE', says: 'its private RSA key, a JWK' },
    plain: { says: 'OAuth without encryption: payloads are plain JSON' },
    participant: { takes: 'ID', says: 'participantId, where it is not in the credentials' },
    issuer: { takes: 'ID', says: "the gateway's identifier, the audience of assertions. Default: its origin" },
    'token-endpoint': { takes: 'URL', says: 'default: /oauth2/token at the target' },
    scope: { takes: 'LIST', says: 'APIs or modules to ask a token for, separated by blanks. Default: all' },
    site: { takes: 'URL', isRepeatable: true, says: 'a site that a 307 may lead to; may be given several times' },
    ca: { takes: 'FILE', says: 'certificates (PEM) to trust, in place of the well-known ones' },
    cert: { takes: 'FILE', says: 'our certificate (PEM), where the gateway asks for one' },
    key: { takes: 'FILE', says: 'its private key (PEM)' },
    'dangerously-allow-plaintext': { says: 'http:// beyond this machine' },
  },
  'The money and the report': {
    ledger: {
      takes: 'URL',
      says: "the demo issuer to compare with, or none. Default: the sandbox's, with its gateway",
    },
    settle: {
      takes: 'TIME',
      default: '60s',
      says: 'how long to ask for open outcomes, and to wait for undos, at most',
    },
    p99: { takes: 'TIME', says: 'accept no API with a higher 99th percentile' },
    failed: { takes: 'PERCENT', says: 'accept no more calls without a final answer' },
    out: { takes: 'DIR', default: 'var/load', says: 'where load.json and load.html go' },
    help: { says: 'this text' },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Row>>>>;

type Groups = typeof GROUPS;
type Rows = Groups[keyof Groups];
export type OptionName = Rows extends infer Each ? (Each extends unknown ? keyof Each : never) : never;

const ROWS: ReadonlyMap<string, Row> = new Map(Object.values(GROUPS).flatMap(group => Object.entries<Row>(group)));

const LONG_NAMES: readonly string[] = [...ROWS.keys()].map(name => `--${name}`);

/** What was typed, by option; defaults are filled in. */
export class Words {
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(given: ReadonlyMap<string, readonly string[]>) {
    this.#given = given;
  }

  has(name: OptionName): boolean {
    return this.#given.has(name);
  }

  /** What stands behind the option, or its default. */
  text(name: OptionName): string | undefined {
    return this.#given.get(name)?.at(-1) ?? ROWS.get(name)?.default;
  }

  all(name: OptionName): readonly string[] {
    return this.#given.get(name) ?? [];
  }
}

/** Reads the words and adds what is wrong with them to `problems`. */
export function readWords(argv: readonly string[], problems: string[]): Words {
  const options = Object.fromEntries(
    [...ROWS].map(([name, { takes }]) => [name, { type: takes ? 'string' : 'boolean' } as const]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true, allowPositionals: true });
  const given = new Map<string, string[]>();
  let isUnknown = false;
  for (const token of tokens) {
    // What stands behind an option that there is not was meant for it.
    if (token.kind === 'positional' && !isUnknown) problems.push(`${token.value} belongs to no option`);
    isUnknown = token.kind === 'option' && !ROWS.has(token.name);
    if (token.kind !== 'option') continue;
    const problem = wordProblem(token, given);
    if (problem !== undefined) problems.push(problem);
    else given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  return new Words(given);
}

function wordProblem(
  { name, rawName, value }: { readonly name: string; readonly rawName: string; readonly value: string | undefined },
  given: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const row = ROWS.get(name);
  if (!row) return `there is no ${rawName}: ${didYouMean(rawName, LONG_NAMES, '--help has them all')}`;
  // What looks like an option was not meant to stand behind one.
  if (row.takes && (value === undefined || value === '' || value.startsWith('--')))
    return `${rawName} takes ${row.takes}`;
  if (!row.takes && value !== undefined) return `${rawName} takes nothing`;
  return given.has(name) && !row.isRepeatable ? `${rawName} is there twice` : undefined;
}

const NAME_WIDTH = 32;
/** A default that is longer has a line of its own. */
const DEFAULT_WIDTH = 20;

function optionLine(name: string, { takes, says, default: usual }: Row): string {
  const left = `  --${name}${takes ? ` ${takes}` : ''}`.padEnd(NAME_WIDTH);
  if (usual === undefined) return `${left} ${says}`;
  return usual.length > DEFAULT_WIDTH ? `${left} ${says}; default:\n    ${usual}` : `${left} ${says} (${usual})`;
}

export const USAGE = [
  'Usage: npm run load -- [options]',
  '',
  'Makes a load of real calls at a fixed rate, measures from when each call was due, and checks the money afterwards: what',
  'the callers were told against the ledger of the issuer. Without options it loads the sandbox that npm start runs.',
  '',
  '  npm run load -- --rate 200 --duration 1m',
  '  npm run load -- --oauth --mix purchase:70,withdraw:10,reversal:10,replay:10',
  '  npm run load -- --target https://cards.example --client-id bank --signing-key bank.signing.jwk.json \\',
  '    --decryption-key bank.decryption.jwk.json --participant 100000 --cards-file cards.txt --p99 500ms --failed 0.1',
  '',
  ...Object.entries(GROUPS).flatMap(([title, group]) => [
    `${title}:`,
    ...Object.entries<Row>(group).map(([name, row]) => optionLine(name, row)),
    '',
  ]),
  'Exit code: 0 in order; 1 a money difference, or an outcome that nobody could learn; 2 it could not begin; 3 the money is',
  'right, but --p99 or --failed is not kept. Ctrl-C ends the load and goes on to the money; once more ends it all.',
].join('\n');
