/**
 * The public port of a real gateway against requests that are put together from right and wrong parts, pipelined, cut
 * into pieces, half closed and reset, with whole requests hidden where a confused server would find them. Whatever comes:
 * no answer outside of the published statuses, never two answers for one request, nothing at the issuer and no record
 * unless the request is good, and a good call afterwards is served. `npm run fuzz` sends 100,000.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzRuns } from '../edge/mutations.ts';
import { Rig, UNHURRIED } from '../journey/rig.ts';
import { call, newTranId, rawRequest } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { type Delivery, exchangeRaw, type Heard } from './rawConnection.ts';
import { type Request, recipes, requestOf, type Sender, singles } from './request.ts';

/** Connections all together; each carries one request or several. */
const RUNS = fuzzRuns(288);
/** Connections at a time. Most of their time they wait: what is refused is listened to for half a second. */
const AT_A_TIME = 48;
const TEST = { timeout: 60_000 + RUNS * 40 } as const;
const SERVED = { cardToken: 'good-card', tranAmount: '0.01', tranCurrency: '840' } as const;

/** Of bytes, in a message about a failure. */
const SHOWN_MOST = 2000;

/** What is documented; 503 and 429 have no reason here. */
const STATUSES = [200, 400, 401, 403, 404];

const rig = new Rig();
let issuer: ScriptedIssuer;
let redis: RedisServer;
let gateway: Gateway;

beforeAll(async () => {
  [issuer, redis] = await Promise.all([rig.issuer({ cards: { 'fuzz-card': '100000.00' } }), rig.redis()]);
  gateway = await rig.gateway(issuer, { journalUrl: redis.url, ...UNHURRIED });
});
afterAll(() => rig.end());

/** Ids that must not be seen anywhere behind the gateway. */
const forbidden = new Set<string>();
/** Ids of requests that were served. */
const served = new Set<string>();

/** Ends a connection that is in order: it is answered with 404 and closes. */
const LAST = 'GET /the-end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

const deliveries: fc.Arbitrary<Delivery> = fc.record({
  cuts: fc.array(fc.nat(2000), { maxLength: 4 }),
  end: fc.constantFrom<Delivery['end']>('stay', 'stay', 'stay', 'halfClose', 'reset'),
});
const connections = fc.tuple(fc.array(recipes, { minLength: 1, maxLength: 3 }), deliveries);
type Connection = typeof connections extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const senderOf = (): Sender => ({ token: gateway.token, tranId: newTranId(), hiddenId: newTranId() });

type Sent = Request & Pick<Sender, 'tranId'>;

/** Sends what was drawn, and judges what came back. */
async function play([wanted, delivery]: Connection): Promise<void> {
  const sent: Sent[] = wanted.map(recipe => {
    const sender = senderOf();
    const request = requestOf(recipe, sender);
    forbidden.add(sender.hiddenId);
    if (request.verdict === 'bad') forbidden.add(sender.tranId);
    return { ...request, tranId: sender.tranId };
  });
  const unfinishedAt = sent.findIndex(({ unfinished }) => unfinished);
  // What stands behind an unfinished request would be taken for its body.
  const requests = unfinishedAt < 0 ? sent : sent.slice(0, unfinishedAt + 1);
  const text = requests.map(request => request.text).join('') + (unfinishedAt < 0 ? LAST : '');
  const end = unfinishedAt < 0 || delivery.end !== 'stay' ? delivery.end : 'halfClose';
  const heard = await exchangeRaw(
    gateway.port,
    text,
    { ...delivery, end },
    requests.map(({ isHead }) => isHead),
  );
  try {
    judge(requests, heard, end);
  } catch (error) {
    const shown = (bytes: string) =>
      JSON.stringify(bytes.length > SHOWN_MOST ? `${bytes.slice(0, SHOWN_MOST)}...` : bytes);
    const what = `sent, ${end}: ${shown(text)}\nheard: ${shown(JSON.stringify(heard.answers))} ${shown(heard.rest)}`;
    throw new Error(`${error instanceof Error ? error.message : 'unknown'}\n${what}`, { cause: error });
  }
}

function judge(requests: readonly Sent[], { answers, rest }: Heard, end: Delivery['end']): void {
  const firstOdd = requests.findIndex(({ verdict }) => verdict !== 'good');
  const goodOnes = firstOdd < 0 ? requests.length : firstOdd;
  // The last of all ends the connection, and has one of its own; a body longer than it says is a request more.
  if (firstOdd < 0) expect(answers.length).toBeLessThanOrEqual(requests.length + 1);
  if (end === 'stay') {
    expect(answers.length).toBeGreaterThanOrEqual(goodOnes);
    expect(rest).toBe('');
  }
  for (const [index, { status, headers, body }] of answers.entries()) {
    expect(STATUSES).toContain(status);
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
    const told = index < goodOnes || body.startsWith('{"participantId"') ? JSON.parse(body) : {};
    if (index < goodOnes) {
      expect(told).toMatchObject({ tranId: requests[index]?.tranId, responseCode: '00' });
      served.add(requests[index]?.tranId ?? '');
    }
    // Never another's answer, and never that of a request that was only hidden in a body.
    if (told.tranId !== undefined && status === 200) expect(forbidden.has(told.tranId)).toBe(false);
  }
  // One request, one approval. (The description of the API has approvals in it, too.)
  const approvals = answers.filter(({ body }) => /^\{"participantId".*"responseCode":"00"/.test(body));
  expect(approvals.length).toBeLessThanOrEqual(requests.filter(({ verdict }) => verdict !== 'bad').length);
}

const entryIds = async (): Promise<string[]> => {
  const names = await redis.command('KEYS', '*:e:*');
  return Array.isArray(names) ? names.map(name => /:e:([^/]+)\//.exec(String(name))?.[1] ?? '') : [];
};

async function untouched(): Promise<void> {
  expect(issuer.requests.filter(({ tranId }) => forbidden.has(tranId))).toEqual([]);
  expect((await entryIds()).filter(id => forbidden.has(id))).toEqual([]);
}

async function isWell(): Promise<void> {
  const { status, body } = await call(gateway, 'Purchase', SERVED);
  expect([status, body.responseCode]).toEqual([200, '00']);
}

describe('S110-S117: the public port, whatever comes', () => {
  it('serves the plain request of this test, and hidden ones are whole', TEST, async () => {
    const { text, verdict } = requestOf([], senderOf());
    expect(verdict).toBe('good');
    const { status, text: said } = await rawRequest(gateway.port, text);
    expect([status, said.includes('"responseCode":"00"')]).toEqual([200, true]);
  });

  it('I15: lets no single wrong part through', TEST, async () => {
    const all: Connection[] = singles().map(recipe => [[recipe], { cuts: [], end: 'stay' }]);
    while (all.length > 0) await Promise.all(all.splice(0, AT_A_TIME).map(play));
    await untouched();
    await isWell();
  });

  it('I15: answers each request once or not at all, as documented, and lets nothing bad through', TEST, async () => {
    const some = fc.array(connections, { minLength: AT_A_TIME, maxLength: AT_A_TIME });
    await fc.assert(
      fc.asyncProperty(some, async all => {
        await Promise.all(all.map(play));
        await isWell();
      }),
      // A failure shows the bytes of its connection: nothing is won by making the other ones shorter.
      { numRuns: Math.max(1, Math.round(RUNS / AT_A_TIME)), endOnFailure: true },
    );
    await untouched();
  });

  it('I1: has done what was good exactly once, and the process is well', TEST, async () => {
    expect(served.size).toBeGreaterThan(0);
    for (const tranId of served) expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect(gateway.alive()).toBe(true);
    expect(gateway.logLines().filter(({ event }) => event === 'defect')).toEqual([]);
    expect(gateway.stderr()).toBe('');
    await isWell();
  });
});
