/**
 * Turns what was typed about the target, the caller and the cards into what the client needs. Whatever is missing is said
 * before anything is sent.
 */
import { join, resolve } from 'node:path';
import type { ClientOptions, Fetch, Try } from '../../src/client/client.ts';
import { isCurrencyCode } from '../../src/domain/currencies.ts';
import { baseOf } from '../../src/sandbox/call.ts';
import { UsageError } from '../../src/sandbox/callMessage.ts';
import { type DemoClient, readCredentialsFile } from '../../src/sandbox/demoClient.ts';
import { cardsFor } from './callers.ts';
import { identityOf } from './identity.ts';
import type { LoadCard } from './loadCall.ts';
import { KIND_NAMES } from './mix.ts';
import { type LoadOptions, NO_LEDGER } from './options.ts';

export type Access = {
  readonly client: ClientOptions;
  /** For the report. */
  readonly target: string;
  readonly caller: string;
  readonly cards: readonly LoadCard[];
  /** Where the demo issuer's ledger is, and whether it was asked for; or why there is none to compare with. */
  readonly ledger: { readonly url: string; readonly isAsked: boolean } | string;
};

/** How the client reaches the gateway, and who hears of it. */
export type Wiring = { readonly fetch: Fetch; readonly onTry: (tried: Try) => void };

/** Where a deployed gateway has its APIs, if the target does not say. */
const USUAL_BASE = 'http://localhost/card-api';
/** One call may take so many times what one request may: its tries and the pauses between them. */
const TOTAL_FACTOR = 3;
const TOTAL_MOST_MS = 3_600_000;

/** @throws UsageError with what is missing */
export async function accessOf(options: LoadOptions, sandboxDir: string, wiring: Wiring): Promise<Access> {
  const demo = await demoClient(options, sandboxDir);
  const target = baseOf(options.target, demo?.baseUrl ?? USUAL_BASE, '--target');
  const isElsewhere = target !== demo?.baseUrl;
  const { proof, site, participantId, says } = await identityOf(options.caller, demo, { target, isElsewhere });
  const client: ClientOptions = {
    ...proof,
    sites: [site, ...options.sites.map(url => baseOf(url, target, '--site'))],
    header: { participantId, tranBranch: '000001', tranChnl: '08' },
    timeoutMs: Math.ceil(options.timeoutMs),
    totalMs: Math.min(Math.ceil(options.timeoutMs * TOTAL_FACTOR), TOTAL_MOST_MS),
    tries: options.tries,
    fetch: wiring.fetch,
    onTry: wiring.onTry,
    dangerouslyAllowPlaintext: options.allowPlaintext,
  };
  return { client, target, caller: says, cards: cardsOf(options, demo), ledger: ledgerOf(options, demo, isElsewhere) };
}

async function demoClient({ caller }: LoadOptions, sandboxDir: string): Promise<DemoClient | undefined> {
  if (caller.kind !== 'file') return undefined;
  return readCredentialsFile(resolve(caller.file ?? join(sandboxDir, 'credentials.json')));
}

/** The cards that were named, or else those of the credentials. */
function cardsOf({ cards: named, mix }: LoadOptions, demo: DemoClient | undefined): readonly LoadCard[] {
  const ofDemo = (demo?.cards ?? []).flatMap(({ cardToken, currency }) =>
    isCurrencyCode(currency) ? [{ cardToken, currency }] : [],
  );
  const cards = named.length > 0 ? named : ofDemo;
  const lacking = KIND_NAMES.filter(
    kind => mix.some(({ what }) => what === kind) && cardsFor(kind, cards).length === 0,
  );
  if (lacking.length > 0)
    throw new UsageError(`--mix has ${lacking.join(', ')}: for that two cards of one currency are needed.`);
  return cards;
}

function ledgerOf({ ledger }: LoadOptions, demo: DemoClient | undefined, isElsewhere: boolean): Access['ledger'] {
  if (ledger === NO_LEDGER) return 'not to be read: --ledger none';
  if (ledger !== undefined) return { url: ledger, isAsked: true };
  if (isElsewhere || !demo) return 'none was named: --ledger URL';
  return demo.issuerUrl === undefined ? 'the credentials name no demo issuer' : { url: demo.issuerUrl, isAsked: false };
}
