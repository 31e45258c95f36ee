/**
 * Canaries: a card number, a CVV2, a PIN block, a name and tokens go through good calls, bad calls, doubts and replays.
 * Afterwards they are searched for in all that the gateway has printed, told and stored, and in what it sealed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_PATHS, type ApiName } from '../support/apiPaths.ts';
import {
  CANARIES,
  CANARY_CARD_TOKEN,
  CANARY_CUSTOMER_NAME,
  CANARY_CVV2,
  CANARY_PAN,
  CANARY_PAN_2,
  CANARY_PIN_BLOCK,
  CANARY_TOKEN,
  findCanaries,
} from '../support/canary.ts';
import { type Answer, bodyOf, type CallOptions, call, type Fields, newTranId, rawRequest } from '../support/client.ts';
import { sha256Hex, testKeys } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { filesIn, opened, redisFiles, redisRecords, sqliteRecords } from './atRest.ts';
import { metric, Rig, samplesOf } from './rig.ts';

const SECRETS = [
  ...CANARIES,
  { name: "the issuer's token", value: testKeys().issuerToken },
  { name: 'the seal key', value: readFileSync(testKeys().sealKeyFile, 'utf8').trim() },
];
/** May not even be stored sealed (PCI DSS 3.3.1). */
const SENSITIVE = CANARIES.filter(({ name }) => name === 'CVV2' || name === 'PIN block');
const sightings = (haystack: string | Uint8Array, canaries = SECRETS) =>
  findCanaries(haystack, canaries).map(({ name, encoding }) => `${name} in ${encoding}`);

const MONEY = { tranAmount: '12.50', tranCurrency: '840' };
const BY_NUMBER = { cardNumber: CANARY_PAN, ...MONEY };
const BY_TOKEN = { cardToken: CANARY_CARD_TOKEN, ...MONEY };
const WITH_CVV2 = { ...BY_NUMBER, CVV2: CANARY_CVV2, expiryDate: '2912', merchantName: CANARY_CUSTOMER_NAME };
const WITH_PIN = { ...BY_TOKEN, pinBlock: CANARY_PIN_BLOCK };

/** Calls that are answered with 200. */
const GOOD: readonly (readonly [ApiName, Fields])[] = [
  ['Purchase', WITH_CVV2],
  ['BlockFund', WITH_CVV2],
  ['Withdraw', WITH_PIN],
  ['TransferFund', { ...BY_NUMBER, toCardNumber: CANARY_PAN_2, memo: CANARY_CUSTOMER_NAME }],
  ['LoadFund', { ...BY_NUMBER, memo: CANARY_CUSTOMER_NAME }],
  ['Verification', { cardNumber: CANARY_PAN, CVV2: CANARY_CVV2, expiryDate: '2912' }],
  ['BalanceInquiry', { cardToken: CANARY_CARD_TOKEN }],
  ['TransactionHistory', { cardToken: CANARY_CARD_TOKEN }],
];

type Bad = readonly [title: string, api: ApiName, fields: Fields, options?: CallOptions];

/** Calls that fail verification, each with a canary where it could be quoted. */
const BAD: readonly Bad[] = [
  ['two cards', 'Purchase', { ...BY_NUMBER, cardToken: CANARY_CARD_TOKEN }],
  ['a card number in place of the token', 'Purchase', { ...MONEY, cardToken: `${CANARY_PAN} ` }],
  ['a card number with letters', 'Purchase', { ...MONEY, cardNumber: `${CANARY_PAN}x` }],
  ['a CVV2 that is too long', 'Purchase', { ...BY_NUMBER, CVV2: `${CANARY_CVV2} ${CANARY_CVV2}` }],
  ['a CVV2 that is a number', 'Purchase', { ...BY_NUMBER, CVV2: Number(CANARY_CVV2) }],
  ['a PIN block that is none', 'Withdraw', { ...BY_TOKEN, pinBlock: `${CANARY_PIN_BLOCK}-` }],
  ['sensitive data in a completion', 'Purchase', { ...WITH_CVV2, originalTranId: newTranId() }],
  ['an unknown field named like a card', 'Purchase', { ...BY_NUMBER, [CANARY_PAN]: CANARY_CVV2 }],
  ['a nested card', 'Purchase', { ...BY_NUMBER, card: { cardNumber: CANARY_PAN, CVV2: CANARY_CVV2 } }],
  ['a card for an amount', 'Purchase', { ...BY_NUMBER, tranAmount: `${CANARY_PAN_2} ` }],
  ['a card for a currency', 'Purchase', { ...BY_NUMBER, tranCurrency: CANARY_PAN_2 }],
  ['a card as Idempotency-Key', 'Purchase', BY_NUMBER, { headers: { 'idempotency-key': CANARY_PAN } }],
  ['a card as timestamp', 'Purchase', BY_NUMBER, { headers: { timestamp: CANARY_PAN } }],
  ['a card as content type', 'Purchase', BY_NUMBER, { headers: { 'content-type': `text/${CANARY_PAN}` } }],
  ['JSON that breaks off', 'Purchase', {}, { rawBody: `{"cardNumber":"${CANARY_PAN}","CVV2":"${CANARY_CVV2}` }],
  ['JSON with a field twice', 'Purchase', {}, { rawBody: `{"CVV2":"${CANARY_CVV2}","CVV2":"${CANARY_CVV2}"}` }],
  ['text after the JSON', 'Purchase', {}, { rawBody: `{} ${CANARY_PAN} ${CANARY_PIN_BLOCK}` }],
  ['bytes that are no UTF-8', 'Purchase', {}, { rawBody: Buffer.from(`${CANARY_PAN}\xff`, 'latin1') }],
  ['too large a body', 'Purchase', {}, { rawBody: `{"memo":"${`${CANARY_PAN} `.repeat(5000)}"}` }],
];

const UNAUTHORIZED: readonly Bad[] = [
  ['the token under another scheme', 'Purchase', BY_NUMBER, { headers: { authorization: `Basic ${CANARY_TOKEN}` } }],
  ['the token and more', 'Purchase', BY_NUMBER, { headers: { authorization: `Bearer ${CANARY_TOKEN} x` } }],
  ['a token that is nearly right', 'Purchase', BY_NUMBER, { token: `${CANARY_TOKEN}x` }],
  ['an API out of scope', 'PINVerify', { ...BY_TOKEN, pinBlock: CANARY_PIN_BLOCK }],
];

/** Replies of an issuer that says more than it should, or nothing of use. */
function scriptOddReplies(issuer: ScriptedIssuer): void {
  const once = { times: 1 };
  const text = `${CANARY_PAN} ${CANARY_CVV2} ${CANARY_CUSTOMER_NAME}`;
  issuer.script(
    'Purchase',
    { kind: 'answer', fields: { responseDesc: `card ${CANARY_PAN}`, CVV2: CANARY_CVV2 } },
    once,
  );
  issuer.script('Purchase', { kind: 'decline', code: '05' }, once);
  issuer.script('Purchase', { kind: 'status', status: 500, body: text }, once);
  issuer.script('Purchase', { kind: 'redirect', location: `http://127.0.0.1:9/${CANARY_PAN}` }, once);
  issuer.script('Purchase', { kind: 'raw', bytes: `HTTP/1.1 200 OK\r\nX-${CANARY_PAN}: ${text}\r\n\r\n${text}` }, once);
  issuer.script('Purchase', { kind: 'raw', bytes: `${text}\r\n` }, once);
  issuer.script('Purchase', { kind: 'unknownCode', code: CANARY_CVV2 }, once);
  issuer.script('Purchase', { kind: 'wrongEcho' }, once);
  issuer.script('Purchase', { kind: 'status', status: 403, body: text }, once);
}
const ODD_REPLIES = 9;

/** Makes all the calls; every answer there was. */
async function everything(gateway: Gateway, issuer: ScriptedIssuer): Promise<Answer[]> {
  const answers: Answer[] = [];
  const tell = async (api: ApiName, fields: Fields, options: CallOptions = {}) => {
    const answer = await call(gateway, api, fields, { token: CANARY_TOKEN, ...options });
    answers.push(answer);
    return answer;
  };
  for (const [api, fields] of GOOD) {
    const { tranId, status } = await tell(api, fields);
    expect([api, status]).toEqual([api, 200]);
    await tell(api, fields, { tranId });
    // The same tranId for another card: 400, which names what differs.
    await tell(
      api,
      { ...fields, ...('cardNumber' in fields ? { cardNumber: CANARY_PAN_2 } : { cardToken: 'x' }) },
      { tranId },
    );
  }
  for (const [title, api, fields, options] of BAD) {
    expect([title, (await tell(api, fields, options)).status]).toEqual([title, 400]);
  }
  for (const [title, api, fields, options] of UNAUTHORIZED) {
    expect([title, [401, 403, 404].includes((await tell(api, fields, options)).status)]).toEqual([title, true]);
  }
  scriptOddReplies(issuer);
  for (let no = 0; no < ODD_REPLIES; no += 1) await tell('Purchase', WITH_CVV2);
  // Doubts that stay open: an undo and a repeat that are never acknowledged.
  issuer.script('Reversal', { kind: 'code', code: '96' });
  issuer.script('Withdraw', { kind: 'hangAfterEffect' });
  issuer.script('LoadFund', { kind: 'resetAfterEffect' });
  for (const [api, fields] of [
    ['Withdraw', WITH_PIN],
    ['LoadFund', BY_NUMBER],
  ] as const) {
    const { tranId } = await tell(api, fields);
    await tell(api, fields, { tranId });
  }
  return answers;
}

/** Requests that no client library would send; what came back. */
async function rawOnes(gateway: Gateway): Promise<string[]> {
  const path = `/card-api${API_PATHS.Purchase}`;
  const lines = [
    `POST ${path}?token=${CANARY_TOKEN}&card=${CANARY_PAN} HTTP/1.1\r\nHost: x\r\nContent-Length: 0`,
    `POST /${CANARY_PAN}/${CANARY_TOKEN} HTTP/1.1\r\nHost: ${CANARY_PAN}\r\nContent-Length: 0`,
    `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${CANARY_TOKEN}\r\nAuthorization: Bearer ${CANARY_TOKEN}\r\nContent-Length: 0`,
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${CANARY_PAN} : ${CANARY_TOKEN}`,
    `${CANARY_PAN} ${CANARY_TOKEN}`,
  ];
  return Promise.all(
    lines.map(async line => (await rawRequest(gateway.port, `${line}\r\n\r\n`, { timeoutMs: 5000 })).text),
  );
}

const found = (files: readonly string[]) =>
  files.flatMap(file => sightings(readFileSync(file)).map(what => [file, what]));

describe.each(['sqlite', 'redis'] as const)('I14: canaries in a gateway with its journal in %s', kind => {
  const rig = new Rig();
  const folder = tempDir('secrecy');
  const file = join(folder, 'gateway.db');
  let redis: RedisServer | undefined;
  let gateway: Gateway;
  let answers: Answer[] = [];
  let raw: string[] = [];
  let metricsText = '';
  beforeAll(async () => {
    const issuer = await rig.issuer();
    redis = kind === 'redis' ? await rig.redis({ appendfsync: 'always' }) : undefined;
    gateway = await rig.gateway(issuer, {
      journalUrl: redis?.url ?? `sqlite:${file}`,
      client: { bearer: { tokenSha256: [sha256Hex(CANARY_TOKEN)] } },
    });
    answers = await everything(gateway, issuer);
    raw = await rawOnes(gateway);
    metricsText = await gateway.metrics();
  });
  afterAll(() => rig.end());

  it('the calls were what they should be: approved, declined, refused, in doubt, replayed', async () => {
    const kinds = new Set(answers.map(({ status, body }) => `${status} ${String(body.responseCode)}`));
    expect([...kinds]).toEqual(
      expect.arrayContaining(['200 00', '200 05', '200 68', '200 09', '200 91', '400 30', '400 94']),
    );
    expect(await metric(gateway, 'gateway_obligations_due')).toBeGreaterThan(1);
    expect(bodyOf(gateway, WITH_CVV2, 'x')).toMatchObject({ cardNumber: CANARY_PAN });
  });

  it('I14: no answer holds one', () => {
    const told = answers.map(({ text, headers }) => `${JSON.stringify(headers)} ${text}`);
    expect([...told, ...raw].flatMap(text => sightings(text))).toEqual([]);
  });

  it('I14: no metric holds one', async () => {
    expect(sightings(metricsText)).toEqual([]);
    expect((await samplesOf(gateway)).length).toBeGreaterThan(50);
  });

  it('I14: the journal holds none in clear, while it is in use', async () => {
    if (!redis) {
      expect(filesIn(folder).map(name => name.slice(file.length))).toEqual(expect.arrayContaining(['', '-wal']));
      expect(found(filesIn(folder))).toEqual([]);
      return;
    }
    expect(sightings(await redis.content())).toEqual([]);
    const files = await redisFiles(redis);
    expect(files.map(name => name.replace(/^.*\./, ''))).toEqual(expect.arrayContaining(['rdb', 'aof']));
    expect(found(files)).toEqual([]);
  });

  it('I14: nothing that was printed holds one, to the last line; cards are masked', async () => {
    expect(await gateway.sigterm()).toBe(0);
    expect(gateway.logLines().filter(({ event }) => event === 'request').length).toBeGreaterThanOrEqual(answers.length);
    expect(sightings(gateway.log())).toEqual([]);
    const cards = new Set(gateway.logLines().flatMap(({ card }) => (card === undefined ? [] : [card])));
    expect(cards).toContain(`${CANARY_PAN.slice(0, 6)}******${CANARY_PAN.slice(-4)}`);
  });

  it('I14: what is sealed holds the card, as it must, and never a CVV2 or a PIN block', async () => {
    // The embedded journal is locked for as long as its gateway runs.
    await gateway.sigterm();
    const texts = opened(redis ? await redisRecords(redis) : sqliteRecords(file));
    const all = texts.join('\n');
    expect(texts.length).toBeGreaterThan(20);
    expect(sightings(all)).toEqual(expect.arrayContaining(['card number in clear', 'card token in clear']));
    expect(sightings(all, SENSITIVE)).toEqual([]);
    expect(all).not.toMatch(/"(CVV2|pinBlock)"/);
  });
});
