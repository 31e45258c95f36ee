/**
 * More than the gateway can do, at its front door: what is turned away was never claimed and never sent, what was begun is
 * finished, an undo gets in all the same, issuers pay nothing for each other, and the end of an outage is no stampede.
 * Everything is counted at the issuer; nothing here depends on how fast the machine is.
 */
import { expect, it } from 'vitest';
import { exchangeRaw, type HttpAnswer } from '../fuzz/rawConnection.ts';
import { API_PATHS } from '../support/apiPaths.ts';
import { bodyOf, call, type Fields, newTranId } from '../support/client.ts';
import { PARTICIPANT, type TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { IssuerRequest, ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, breakerOf, codeOf, metric, payment, Rig, UNHURRIED, untilNothingOwed } from './rig.ts';

/** Thousands of calls, on a machine that has other things to do. */
const LONG = { timeout: 120_000 } as const;
/** Calls at an issuer that was just out of order (`config/limits.ts`). */
const AFTER_OUTAGE_MOST = 16;
/** Nothing is ever over in time: whoever waits, waits for something else. */
const ENDLESS = { client: { budgetMs: 60_000 }, issuer: { timeoutMs: 59_000, maxProcessingMs: 59_000 } } as const;
/** More together than may wait for their turn, which is 8 192; most of them are quickly dealt with. */
const CONNECTIONS = 50;
const NOTHINGS_EACH = 300;
const PURCHASES_EACH = 4;

/** A call as bytes, to be sent right behind others; the last one of its connection. */
function rawCall(
  gateway: Gateway,
  api: 'Purchase' | 'Reversal',
  fields: Fields,
  tranId: string,
  isLast: boolean,
): string {
  const body = JSON.stringify(bodyOf(gateway, fields, tranId));
  const lines = [
    `POST ${new URL(gateway.url).pathname}${API_PATHS[api]} HTTP/1.1`,
    'Host: gateway',
    `Authorization: Bearer ${gateway.token}`,
    `timestamp: ${Date.now()}`,
    `Content-Length: ${body.length}`,
    ...(isLast ? ['Connection: close'] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/**
 * Many requests of one connection, one right behind the other: for nothing that there is, then purchases. Gives the answers
 * to these by their `tranId`.
 */
async function pipelined(gateway: Gateway, onSent: () => void): Promise<[string, HttpAnswer | undefined][]> {
  const ids = Array.from({ length: PURCHASES_EACH }, newTranId);
  const nothings = Array(NOTHINGS_EACH).fill('GET /nothing HTTP/1.1\r\nHost: gateway\r\n\r\n');
  const fields = payment('crowd', '0.01');
  const purchases = ids.map((id, at) => rawCall(gateway, 'Purchase', fields, id, at === ids.length - 1));
  const text = [...nothings, ...purchases].join('');
  const heads = Array(NOTHINGS_EACH + PURCHASES_EACH).fill(false);
  const { answers } = await exchangeRaw(gateway.port, text, { cuts: [], end: 'stay', onSent }, heads);
  return ids.map((id, at) => [id, answers[NOTHINGS_EACH + at]]);
}

const codeIn = (answer: HttpAnswer | undefined): string | undefined =>
  answer && /"responseCode":"(..)"/.exec(answer.body)?.[1];

it(
  'F10 I3 I10: a crowd is answered or refused, each of them; what is refused was never claimed; an undo gets in',
  LONG,
  async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { ...ENDLESS, issuer: { ...ENDLESS.issuer, maxInFlight: 1000 } });
    const before = await approved(gateway, payment('card'));
    // All of it is there when it looks again: more than may wait.
    gateway.sigstop();
    let sent = 0;
    const crowd = Array.from({ length: CONNECTIONS }, () => pipelined(gateway, () => ++sent));
    await waitFor('all of it to be there', () => sent === CONNECTIONS);
    // On a connection of its own, behind all the others.
    const reversal = { ...payment('card'), originalTranId: before.tranId };
    const text = rawCall(gateway, 'Reversal', reversal, newTranId(), true);
    const undo = exchangeRaw(gateway.port, text, { cuts: [], end: 'stay', onSent: () => gateway.sigcont() }, [false]);

    expect(codeIn((await undo).answers[0])).toBe('00');
    const all = (await Promise.all(crowd)).flat();
    const refused = all.filter(([, answer]) => answer?.status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const [, answer] of refused) expect([codeIn(answer), answer?.headers.get('retry-after')]).toEqual(['91', '1']);
    const shed = new Set(refused.map(([id]) => id));
    for (const [id, answer] of all) if (!shed.has(id)) expect(codeIn(answer)).toBe('00');

    expect(issuer.requests.filter(({ tranId }) => shed.has(tranId))).toEqual([]);
    expect(issuer.requestsOf('Purchase')).toHaveLength(all.length - shed.size + 1);
    expect(await metric(gateway, 'gateway_shed_total', { reason: 'queueFull' })).toBeGreaterThan(0);
    expect(await metric(gateway, 'gateway_waiting')).toBe(0);
    const tranId = [...shed][0] ?? '';
    const again = await call(gateway, 'Purchase', payment('crowd', '0.01'), { tranId });
    expect([again.body.responseCode, again.headers['idempotent-replayed']]).toEqual(['00', undefined]);
    await untilNothingOwed(gateway);
    expect(issuer.balanceOf('card')).toBe('1000.00');
  },
);

/** Cards that begin with the issuer's name are its. */
const also =
  (others: Readonly<Record<string, { readonly at: ScriptedIssuer; readonly settings?: object }>>) =>
  (config: TestConfig): void => {
    for (const [id, { at, settings }] of Object.entries(others)) {
      config.issuers.push({ ...config.issuers[0], id, baseUrl: at.baseUrl, ...settings });
      config.routes.push({ participant: PARTICIPANT, cardPrefix: id, issuer: id });
    }
  };

/** One that hangs with all its places taken, and one that fails every tenth call. */
async function threeIssuers(rig: Rig) {
  const [good, hanging, failing] = await Promise.all([rig.issuer(), rig.issuer(), rig.issuer()]);
  let calls = 0;
  const everyTenth = ({ api }: IssuerRequest): boolean => {
    if (api === 'Purchase') calls += 1;
    return api === 'Purchase' && calls % 10 === 0;
  };
  failing.script('Purchase', { kind: 'resetAfterEffect' }, { where: everyTenth });
  const gateway = await rig.gateway(good, {
    ...ENDLESS,
    change: also({ hanging: { at: hanging, settings: { maxInFlight: 40 } }, failing: { at: failing } }),
  });
  const before = await approved(gateway, payment('hanging-0'));
  hanging.script('Purchase', { kind: 'hang' });
  return { good, hanging, failing, gateway, before };
}

it('F10 I10 I19: an issuer that hangs, and one that fails, cost a third one nothing', LONG, async test => {
  const { good, hanging, failing, gateway, before } = await threeIssuers(new Rig(test));
  const held = Array.from({ length: 40 }, () => codeOf(call(gateway, 'Purchase', payment('hanging-1'))));
  await hanging.waitFor('all places to be taken', () => hanging.requestsOf('Purchase').length === 41);

  const calls = Array.from({ length: 100 }, (_, no) => no);
  const [quick, refused, flaky] = await Promise.all(
    ['quick-1', 'hanging-2', 'failing-1'].map(card =>
      Promise.all(calls.map(() => call(gateway, 'Purchase', payment(card, '1.00')))),
    ),
  );
  expect(quick?.map(({ body }) => body.responseCode)).toEqual(calls.map(() => '00'));
  expect(refused?.map(({ status }) => status)).toEqual(calls.map(() => 503));
  expect(flaky?.filter(({ body }) => body.responseCode === '68')).toHaveLength(10);
  expect(await metric(gateway, 'gateway_shed_total', { reason: 'issuerFull' })).toBe(100);
  expect(await metric(gateway, 'gateway_shed_total')).toBe(100);

  // The healthy one saw its own calls, each once, and its breaker nothing at all.
  expect(good.requests.map(({ api, repeat }) => [api, repeat])).toEqual(calls.map(() => ['Purchase', false]));
  expect([await breakerOf(gateway), await breakerOf(gateway, 'failing')]).toEqual(['closed', 'closed']);
  expect(hanging.requestsOf('Purchase')).toHaveLength(41);
  // An undo takes no place from calls, and so gets in.
  const undo = call(gateway, 'Reversal', { ...payment('hanging-0'), originalTranId: before.tranId });
  expect(await codeOf(undo)).toBe('00');
  expect(hanging.balanceOf('hanging-0')).toBe('1000.00');
  await waitFor('the undos', () => failing.balanceOf('failing-1') === '910.00');
  await gateway.kill9();
  expect(await Promise.all(held)).toEqual(held.map(() => 'lost'));
});

/** An issuer out of order, forty undos owed to it, and then one that takes everything and answers nothing yet. */
async function outage(rig: Rig) {
  const issuer = await rig.issuer();
  const gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
    issuer: { ...UNHURRIED.issuer, breaker: { windowMs: 60_000, minimumCalls: 40, openMs: 300 } },
  });
  issuer.script('Purchase', { kind: 'resetAfterEffect' });
  issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
  const doubts = Array.from({ length: 40 }, () => codeOf(call(gateway, 'Purchase', payment('crowd', '1.00'))));
  expect(await Promise.all(doubts)).toEqual(doubts.map(() => '68'));
  await waitFor('the breaker to open', async () => (await breakerOf(gateway)) !== 'closed');
  issuer.heal();
  issuer.script('*', { kind: 'queueUntilReleased' });
  return { issuer, gateway };
}

/** Makes many purchases at once; gives the codes of those that have been told. */
function purchases(gateway: Gateway, count: number): readonly string[] {
  const codes: string[] = [];
  for (let no = 0; no < count; no += 1) {
    void codeOf(call(gateway, 'Purchase', payment('after', '1.00'))).then(code => codes.push(code));
  }
  return codes;
}

it(
  'F10 F31 I10: an outage ends with one probe and one undo at a time, then with few calls at a time',
  LONG,
  async test => {
    const { issuer, gateway } = await outage(new Rig(test));
    await issuer.waitFor('the first of them', () => issuer.queued() > 0);
    const early = purchases(gateway, 100);
    await waitFor('all but the probe to be told', () => early.length >= 99);
    expect(early.filter(code => code !== '91')).toEqual([]);
    expect(issuer.queued()).toBeLessThanOrEqual(2);

    const closed = async () => {
      issuer.release();
      return (await breakerOf(gateway)) === 'closed';
    };
    await waitFor('the breaker to close', closed);
    // Everybody is back, and it hesitates again.
    const seen = issuer.requests.length;
    const back = purchases(gateway, 100);
    await waitFor('the others to be told', () => back.length >= 100 - AFTER_OUTAGE_MOST);
    expect(back.filter(code => code !== '91')).toEqual([]);
    const live = issuer.requests.slice(seen).filter(({ api }) => api === 'Purchase');
    expect(live).toHaveLength(100 - back.length);
    expect(issuer.queued()).toBeLessThanOrEqual(2 * AFTER_OUTAGE_MOST);

    issuer.heal();
    issuer.release();
    await untilNothingOwed(gateway);
    expect(issuer.balanceOf('crowd')).toBe('1000.00');
    expect(await codeOf(call(gateway, 'Purchase', payment('after', '1.00')))).toBe('00');
  },
);
