/**
 * A demo issuer of its own for each test, in a directory of its own, and a client that speaks the contract to it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APIS } from '../../src/catalogue/apis.ts';
import { isCurrencyCode } from '../../src/domain/currencies.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { bookOpening, openCard } from '../../src/sandbox/cards.ts';
import { prepareSandbox, type SandboxCredentials } from '../../src/sandbox/credentials.ts';
import { startDemoIssuer } from '../../src/sandbox/demoIssuer.ts';
import { Ledger } from '../../src/sandbox/ledger.ts';

export type Fields = Record<string, string>;
export type Answer = { status: number; body: Record<string, unknown>; headers: Headers };
export type Ledgered = {
  availableBalance: string;
  ledgerBalance: string;
  blockedAmount: string;
  holds: { tranId: string; state: string; amount: string; remaining: string; parts: Fields[] }[];
  effects: { tranId: string; tranType: string; availableChange: string; blockedChange: string }[];
  effectsTotal: number;
};

export const NUMBER = '4220001234567893';
export const OTHER_NUMBER = '4220009876543213';
/** Cards that tests name by their tokens: 1,000.00 in 840 each, unless said otherwise. */
const CARDS = [
  { token: 'card', number: NUMBER },
  { token: 'other', number: OTHER_NUMBER },
  { token: 'yen', number: '4220000000000014', currency: '392' },
  { token: 'dinar', number: '4220000000000022', currency: '414' },
  { token: 'frozen', number: '4220000000000030', blockStatus: 'B' },
  { token: 'lost', number: '4220000000000048', cardStatus: 'L' },
  { token: 'expired', number: '4220000000000055', expiry: '2001' },
  { token: 'stranger', number: '4220000000000063', participantId: '200000' },
] as const;

export const OPENING_MINOR = 100_000n;

/** Each test card has an account that is named like it. */
export function addTestCards(ledger: Ledger, clock: Clock): void {
  const { store } = ledger;
  store.inTransaction(() => {
    for (const row of CARDS) {
      const usual = { currency: '840', cardStatus: 'N', expiry: '9912', participantId: '100000' };
      const { currency, ...card } = { ...usual, ...row };
      if (!isCurrencyCode(currency)) throw new Error('a test card has no currency');
      const { token, participantId } = card;
      const owner = { participantId, customerId: 'holder' };
      store.records.accounts.save({ ...owner, accountNo: token, accountType: '10', status: 'N', currency });
      for (const name of [`available:${token}`, `held:${token}`, `external:${currency}`] as const) {
        store.openAccount(name, currency);
      }
      const draft = { ...card, ...owner, currency, account: token, number: new Secret(card.number), ...PLASTIC };
      bookOpening(store, clock, openCard(store, draft), OPENING_MINOR);
    }
  });
}

const PLASTIC = { flag: 'P', product: 'PREPAID01', openDate: '20260101' };

/** The CVV2 of a test card that is good through 9912. */
export const cvv2Of = (ledger: Ledger, number: string): string => ledger.key.cvv2(number, '9912');
/** The contract's path of an API. */
export const pathOf = (api: string): string => {
  const row = APIS.find(({ name }) => name === api);
  if (!row) throw new Error(`no API ${api}`);
  return row.path;
};

let count = 0;
export const freshId = (): string => {
  count += 1;
  return `t${count}`;
};

export const header = (more: Fields = {}): Fields => ({
  participantId: '100000',
  tranBranch: '000001',
  tranChnl: '08',
  tranDate: '20260105',
  tranTime: '101500',
  tranId: freshId(),
  ...more,
});

export const money = (tranAmount: string, tranCurrency = '840'): Fields => ({ tranAmount, tranCurrency });

export type Sandbox = {
  readonly credentials: SandboxCredentials;
  /** Of the card `card`. */
  readonly cvv2: string;
  readonly url: string;
  /** Sends one call on the card `card`, unless the fields name another or none is wanted. */
  call(api: string, fields?: Fields, options?: { headers?: Fields; noCard?: true }): Promise<Answer>;
  /** The same, and the response code alone. */
  code(api: string, fields?: Fields): Promise<string>;
  post(path: string, body: string | Uint8Array, headers?: Fields): Promise<Answer>;
  ledger(card?: string): Promise<Ledgered>;
  control(method: string, path: string, body?: unknown): Promise<Answer>;
  requests(): Promise<Record<string, unknown>[]>;
  restart(): Promise<void>;
  close(): Promise<void>;
};

const readAnswer = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: (await response.json()) as Record<string, unknown>,
  headers: response.headers,
});

export async function startSandbox(clock: Clock = systemClock): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), 'sandbox-'));
  const credentials = await prepareSandbox({ dir, clock, random: systemRandom });
  const ledger = new Ledger(credentials.ledgerFile, clock);
  addTestCards(ledger, clock);
  const cvv2 = cvv2Of(ledger, NUMBER);
  ledger.close();
  const start = () => startDemoIssuer({ credentials, host: '127.0.0.1', port: 0, basePath: '/card-api', clock });
  let issuer = await start();

  const post = async (path: string, body: string | Uint8Array, headers: Fields = {}): Promise<Answer> =>
    readAnswer(
      await fetch(issuer.url + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: {
          authorization: `Bearer ${credentials.issuerToken.reveal()}`,
          'content-type': 'application/json',
          timestamp: '1767600000000',
          ...headers,
        },
      }),
    );
  const call: Sandbox['call'] = (api, fields = {}, { headers = {}, noCard } = {}) => {
    const own = noCard || 'cardNumber' in fields ? {} : { cardToken: 'card' };
    return post(`/card-api${pathOf(api)}`, JSON.stringify({ ...header(), ...own, ...fields }), headers);
  };
  const control: Sandbox['control'] = async (method, path, body) =>
    readAnswer(await fetch(issuer.url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) }));
  return {
    credentials,
    cvv2,
    get url() {
      return issuer.url;
    },
    call,
    post,
    control,
    code: async (api, fields) => String((await call(api, fields)).body.responseCode),
    ledger: async (card = 'card') => (await control('GET', `/_sandbox/ledger/${card}`)).body as Ledgered,
    requests: async () => (await control('GET', '/_sandbox/requests')).body.requests as Record<string, unknown>[],
    restart: async () => {
      await issuer.close();
      issuer = await start();
    },
    close: async () => {
      await issuer.close();
      await rm(dir, { recursive: true });
    },
  };
}
