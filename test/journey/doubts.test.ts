/**
 * Doubts: whatever an issuer does instead of answering, the caller is told 68 in time, and exactly one undo goes out
 * until the issuer has acknowledged it, and then never again. The issuer's own books are the witness.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type Answer, type Fields, newTranId } from '../support/client.ts';
import type { Behaviour } from '../support/issuerScript.ts';
import { type IssuerRequest, type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import {
  alarms,
  allAtOnce,
  DERIVED,
  HASTY,
  JOURNALS,
  messagesInASecond,
  money,
  NOTHING_DONE,
  NOTHING_OWED,
  netOf,
  newCard,
  onBoth,
  openStage,
  owed,
  type Stage,
  said,
  undosOf,
  untilNothingDue,
} from './support.ts';

/** The caller's budget is 6 s (`HASTY`); the rest is for a busy machine. */
const IN_TIME_MS = 8000;

let elsewhere: ScriptedIssuer;
beforeAll(async () => {
  elsewhere = await startScriptedIssuer();
});
afterAll(() => elsewhere.stop());

type Fault = readonly [title: string, behaviour: () => Behaviour];
const fault = (title: string, behaviour: Behaviour): Fault => [title, () => behaviour];
const answering = (title: string, fields: Record<string, string | undefined>): Fault =>
  fault(title, { kind: 'answer', fields });
const body = (title: string, text: string): Fault =>
  fault(title, { kind: 'status', status: 200, effect: true, body: text });

/** The issuer acted, and nobody can know it from what it answered. */
const AFTER_EFFECT: readonly Fault[] = [
  fault('F17 hangs after the effect', { kind: 'hangAfterEffect' }),
  fault('F18 resets after the effect', { kind: 'resetAfterEffect' }),
  fault('F20 500', { kind: 'status', status: 500 }),
  fault('F20 503', { kind: 'status', status: 503 }),
  fault('F20 429', { kind: 'status', status: 429, effect: true }),
  fault('F20 408', { kind: 'status', status: 408, effect: true }),
  fault('F20 202 with an approval in it', { kind: 'status', status: 202, effect: true }),
  fault('F20 400 with an approval in it', { kind: 'status', status: 400, effect: true }),
  ['F27 a redirect', () => ({ kind: 'redirect', location: `${elsewhere.baseUrl}/tranmgr/purchase`, effect: true })],
  fault('F21 HTML', { kind: 'garbage' }),
  fault('F21 an empty body', { kind: 'emptyBody' }),
  body('F21 JSON that is no object', '["00"]'),
  body('F21 a key twice', '{"responseCode":"51","responseCode":"00"}'),
  fault('F19 half a body', { kind: 'halfBody' }),
  fault('F19 a dripping body', { kind: 'drip' }),
  fault('F24 a huge body', { kind: 'huge' }),
  fault('F21 bytes that are no HTTP', { kind: 'raw', bytes: 'SSH-2.0-OpenSSH_9.7\r\n' }),
  fault('F22 an unknown code', { kind: 'unknownCode' }),
  fault('F22 an ISO 8583 code that is not in our list', { kind: 'unknownCode', code: '14' }),
  answering('F22 no code', { responseCode: undefined }),
  ...(['09', '68', '91', '94', '96', '99'] as const).map(code => fault(`F22 code ${code}`, { kind: 'code', code })),
  answering('F22 a field of the wrong form', { availableBalance: 'plenty' }),
  fault("F23 I20 another transaction's tranId", { kind: 'wrongEcho' }),
  fault('F23 I20 another participant', { kind: 'wrongEcho', field: 'participantId' }),
  answering('F23 I20 no tranId', { tranId: undefined }),
  fault('F23 I20 another amount', { kind: 'wrongAmount' }),
  answering('F23 I20 another currency', { tranCurrency: '978' }),
  answering('F23 an approval for less, which was not allowed', { approvedAmount: '4.00' }),
  answering('F23 an approval for more', { approvedAmount: '10.01' }),
];

type Doubt = {
  readonly tranId: string;
  readonly card: string;
  readonly first: Answer;
  readonly fields: Fields;
};

/** Fields of the original that have no place in its undo, those among them that nobody may keep. */
const EXTRA: Partial<Record<ApiName, Fields>> = {
  Purchase: { merchantName: 'Corner Shop', CVV2: '123' },
  Withdraw: { merchantId: 'ATM 7', pinBlock: '0123456789ABCDEF' },
  BlockFund: { expiryDate: '3012', CVV2: '123' },
};

const isMoney = (api: ApiName): boolean => !['BalanceInquiry', 'Verification'].includes(api);

/** An undo that is approved for the amount that had been approved is done: what spoils it has to be something else. */
const spoilerOf = (behaviour: Behaviour): Behaviour =>
  behaviour.kind === 'answer' && behaviour.fields?.approvedAmount === '4.00' ? { kind: 'code', code: '96' } : behaviour;

/** One call that the issuer treats so, and whose first undo it treats the same way before it says 503 to the second. */
async function inDoubt(
  { issuer, call }: Stage,
  api: ApiName,
  behaviour: Behaviour,
  spoilUndo: boolean,
): Promise<Doubt> {
  const [tranId, card] = [newTranId(), newCard()];
  const isUndo = ({ originalTranId }: IssuerRequest) => originalTranId === tranId;
  issuer.script(api, behaviour, { tranId });
  if (spoilUndo) {
    issuer.script('*', spoilerOf(behaviour), { times: 1, where: isUndo });
    issuer.script('*', { kind: 'status', status: 503 }, { times: 1, where: isUndo });
  }
  const fields = { ...(isMoney(api) ? money(card) : { cardToken: card }), ...EXTRA[api] };
  return { tranId, card, fields, first: await call(api, fields, { tranId }) };
}

const titles = (faults: readonly Fault[], api: ApiName) =>
  faults.map(one => ({ api, title: one[0], behaviour: one[1] }));
const only = (...wanted: readonly string[]) =>
  AFTER_EFFECT.filter(([title]) => wanted.some(word => title.endsWith(word)));
const AFTER = [
  ...titles(AFTER_EFFECT, 'Purchase'),
  ...titles(only('hangs after the effect', '500', 'HTML', 'code 96', "another transaction's tranId"), 'Withdraw'),
  ...titles(
    only('hangs after the effect', 'after the effect', 'half a body', 'code 09', 'another amount'),
    'BlockFund',
  ),
];
const INQUIRIES = [
  ...titles(
    AFTER_EFFECT.filter(([title]) => !/amount|currency|approval/.test(title)),
    'BalanceInquiry',
  ),
  ...titles(only('hangs after the effect', 'HTML', 'code 09'), 'Verification'),
];
const HISTORY = { kind: 'status', status: 500 } as const;

/** Everything in this file at once, on each journal, until nothing is owed any more. */
const played = onBoth(async journal => {
  const stage = await openStage({ journal, pace: HASTY });
  const after = allAtOnce(AFTER, ({ api, behaviour }) => inDoubt(stage, api, behaviour(), true));
  const inquiries = allAtOnce(INQUIRIES, ({ api, behaviour }) => inDoubt(stage, api, behaviour(), false));
  await Promise.all([after.all(), inquiries.all()]);
  // Whether this ends well is for a test of its own to say.
  await untilNothingDue(stage).catch(() => undefined);
  return { stage, after, inquiries };
});

describe.each(JOURNALS)('in doubt, on %s', journal => {
  it.each(AFTER)('I5 I9 $api: $title: 68 in time, undone under one tranId until acknowledged', async one => {
    const { stage, after } = played(journal);
    const { issuer } = stage;
    const { tranId, card, first } = await after.of(one);
    expect([said(first), first.body.tranId, first.body.authCode]).toEqual(['200 68', tranId, undefined]);
    expect(first.ms).toBeLessThan(IN_TIME_MS);
    expect(issuer.requests.filter(request => request.tranId === tranId)).toHaveLength(1);

    const undos = undosOf(issuer, tranId);
    const [undo] = undos;
    expect(undos.length).toBeGreaterThanOrEqual(3);
    expect(undos.slice(1).filter(({ repeat }) => !repeat)).toEqual([]);
    for (const again of undos) expect(again.body).toEqual(undo?.body);
    expect(undo?.api).toBe(one.api === 'BlockFund' ? 'UnblockFund' : 'Reversal');
    expect(undo?.tranId).toMatch(DERIVED);
    // The header fields as they were sent, card, amount and currency, and the original: nothing else.
    const sent = Object.entries(issuer.requests.find(request => request.tranId === tranId)?.body ?? {});
    const kept = Object.fromEntries(sent.filter(([name]) => !Object.hasOwn(EXTRA[one.api] ?? {}, name)));
    expect(undo?.body).toEqual({ ...kept, ...money(card), tranId: undo?.tranId, originalTranId: tranId });

    expect(netOf(issuer, tranId)).toEqual(NOTHING_DONE);
    expect([issuer.balanceOf(card), issuer.heldOf(card)]).toEqual(['1000.00', '0.00']);
  });

  it.each(INQUIRIES)('I5 $api: $title: 91, sent once, nothing owed', async one => {
    const { stage, inquiries } = played(journal);
    const { tranId, first } = await inquiries.of(one);
    expect([said(first), first.body.availableBalance]).toEqual(['200 91', undefined]);
    expect(first.ms).toBeLessThan(IN_TIME_MS);
    expect(stage.issuer.about(tranId)).toHaveLength(1);
  });

  it('I5 I10 I19 everything owed is delivered in the end', async () => {
    expect(await owed(played(journal).stage.gateway)).toEqual(NOTHING_OWED);
  });

  it('I3 F5 a retry of any of them replays 68 and sends nothing', async () => {
    const { stage, after } = played(journal);
    const sent = stage.issuer.requests.length;
    const ended = await Promise.all(AFTER.map(async one => ({ api: one.api, ...(await after.of(one)) })));
    const retries = await Promise.all(ended.map(({ api, fields, tranId }) => stage.call(api, fields, { tranId })));
    expect(new Set(retries.map(said))).toEqual(new Set(['200 68 replayed']));
    expect(stage.issuer.requests).toHaveLength(sent);
  });

  it('I5 the histories: 91, and the same tranId is asked again, since an inquiry is not kept', async () => {
    const { stage } = played(journal);
    const tranId = newTranId();
    const ask = () => stage.call('TransactionHistory', { cardToken: newCard() }, { tranId });
    stage.issuer.script('TransactionHistory', HISTORY, { tranId, times: 1 });
    expect([said(await ask()), said(await ask())]).toEqual(['200 91', '200 00']);
    expect(stage.issuer.requestsOf('TransactionHistory', tranId).map(({ repeat }) => repeat)).toEqual([false, false]);
  });
});

const MONEY_APIS = ['Purchase', 'Withdraw', 'BlockFund', 'LoadFund', 'ServiceCharge'] as const;

describe.each(JOURNALS)('no doubt, on %s', journal => {
  it.each([
    ['F20 401', 401],
    ['F20 403', 403],
    ['F20 404', 404],
  ])('%s: 91 for good, nothing owed, and an alarm for each', async (_, status) => {
    const { issuer, gateway, call } = played(journal).stage;
    const before = await alarms(gateway, 'refusedAtTheDoor');
    const ids = MONEY_APIS.map(api => ({ api, tranId: newTranId(), fields: money(newCard()) }));
    for (const { tranId } of ids) issuer.script('*', { kind: 'status', status }, { tranId });
    const ask = () => Promise.all(ids.map(({ api, tranId, fields }) => call(api, fields, { tranId })));
    expect((await ask()).map(said)).toEqual(MONEY_APIS.map(() => '200 91'));
    expect((await ask()).map(said)).toEqual(MONEY_APIS.map(() => '200 91 replayed'));
    for (const { tranId } of ids) expect(issuer.about(tranId)).toHaveLength(1);
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
    expect((await alarms(gateway, 'refusedAtTheDoor')) - before).toBe(MONEY_APIS.length);
  });

  it('F29 F20 a decline is an answer, with 200 or with 400: kept, and nothing owed', async () => {
    const { issuer, gateway, call } = played(journal).stage;
    const [declined, refused] = [newTranId(), newTranId()];
    const fields = money(newCard());
    issuer.script('Purchase', { kind: 'decline', code: '51' }, { tranId: declined });
    const text = { participantId: gateway.participantId, tranId: refused, responseCode: '30', responseDesc: 'no' };
    issuer.script('Purchase', { kind: 'status', status: 400, body: JSON.stringify(text) }, { tranId: refused });
    for (const replayed of ['', ' replayed']) {
      expect(said(await call('Purchase', fields, { tranId: declined }))).toBe(`200 51${replayed}`);
      expect(said(await call('Purchase', fields, { tranId: refused }))).toBe(`200 30${replayed}`);
    }
    expect([...issuer.about(declined), ...issuer.about(refused)]).toHaveLength(2);
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
  });

  it('F16 F23 an approval for less stands where it was allowed', async () => {
    const { issuer, gateway, call } = played(journal).stage;
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'answer', fields: { approvedAmount: '4.00' } }, { tranId });
    const answer = await call('Purchase', { ...money(newCard()), partialAllowed: 'Y' }, { tranId });
    expect([said(answer), answer.body.approvedAmount]).toEqual(['200 00', '4.00']);
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
  });

  it('I5 I10 nothing that was acknowledged, declined or never sent is ever sent again', async () => {
    const { stage } = played(journal);
    expect(await messagesInASecond(stage)).toBe(0);
    expect(stage.issuer.violations).toEqual([]);
    expect(elsewhere.connections()).toBe(0);
  });
});

describe('an issuer that cannot be reached', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.stop());

  it('F13 91 at once, nothing owed, nothing sent once it is back, also after a restart', async () => {
    const { issuer, gateway, proxy, call } = stage;
    await proxy.mode('refuse');
    const ids = MONEY_APIS.map(api => ({ api, tranId: newTranId(), fields: money(newCard()) }));
    const ask = () => Promise.all(ids.map(({ api, tranId, fields }) => call(api, fields, { tranId })));
    expect((await ask()).map(said)).toEqual(MONEY_APIS.map(() => '200 91'));
    expect(said(await call('BalanceInquiry', { cardToken: newCard() }))).toBe('200 91');
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
    await proxy.mode('pass');
    await gateway.restart();
    expect((await ask()).map(said)).toEqual(MONEY_APIS.map(() => '200 91 replayed'));
    expect(await messagesInASecond(stage)).toBe(0);
    expect(issuer.requests).toEqual([]);
    expect(await owed(gateway)).toEqual(NOTHING_OWED);
    expect(said(await call('Purchase', money(newCard())))).toBe('200 00');
  });
});
