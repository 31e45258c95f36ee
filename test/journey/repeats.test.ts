/**
 * Money that is not clawed back: in doubt the same message goes out again under its own `tranId` until the issuer says
 * for certain what became of it. Meanwhile callers hear 09, afterwards what the issuer said, and nobody is paid twice.
 */
import { describe, expect, it } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type Answer, type Fields, newTranId } from '../support/client.ts';
import type { Behaviour } from '../support/issuerScript.ts';
import {
  alarms,
  allAtOnce,
  JOURNALS,
  messagesInASecond,
  money,
  NOTHING_OWED,
  newCard,
  onBoth,
  openStage,
  owed,
  type Stage,
  said,
  undosOf,
  untilNothingDue,
  untilTold,
} from './support.ts';

const ALL = [
  'LoadFund',
  'TransferFund',
  'ServiceCharge',
  'DebitAdjustment',
  'CreditAdjustment',
  'Refund',
  'Purchase',
  'UnblockFund',
] as const satisfies readonly ApiName[];
type Repeated = (typeof ALL)[number];

/** What each message changes on its card, of 1000.00 and 10.00. */
type Row = { readonly balance: string; readonly of?: ApiName };
const MESSAGES: Readonly<Record<Repeated, Row>> = {
  LoadFund: { balance: '1010.00' },
  TransferFund: { balance: '990.00' },
  ServiceCharge: { balance: '990.00' },
  DebitAdjustment: { balance: '990.00' },
  CreditAdjustment: { balance: '1010.00' },
  // These name an original, which comes first and is paid with 100.00.
  Refund: { balance: '910.00', of: 'Purchase' },
  Purchase: { balance: '990.00', of: 'BlockFund' },
  UnblockFund: { balance: '910.00', of: 'BlockFund' },
};

const code = (text: '09' | '68' | '91' | '94' | '96' | '99'): Behaviour => ({ kind: 'code', code: text });
const status = (number: number): Behaviour => ({ kind: 'status', status: number, effect: true });

type Fault = readonly [title: string, onTheWay: readonly Behaviour[]];
/** What the repeats meet before one is answered. A 400 with the right echo and a definite code is no answer to a repeat. */
const ON_THE_WAY: readonly Fault[] = [
  ['codes 09 and 91', [code('09'), code('91')]],
  ['codes 94 and 96', [code('94'), code('96')]],
  ['codes 68 and 99', [code('68'), code('99')]],
  ['500 and 503', [status(500), status(503)]],
  ['429 and 404', [status(429), status(404)]],
  ['401 and 403', [status(401), status(403)]],
  ['garbage and a wrong echo', [{ kind: 'garbage' }, { kind: 'wrongEcho' }]],
  ['an empty and half a body', [{ kind: 'emptyBody' }, { kind: 'halfBody' }]],
  [
    'an approval for less and another amount',
    [{ kind: 'answer', fields: { approvedAmount: '1.00' } }, { kind: 'wrongAmount' }],
  ],
];
const CASES = [
  ...ON_THE_WAY.flatMap(([title, onTheWay]) =>
    (['Refund', 'LoadFund'] as const).map(api => ({ api, title, onTheWay })),
  ),
  ...ALL.map(api => ({ api, title: 'code 96', onTheWay: [code('96')] })),
];

type Run = {
  readonly tranId: string;
  readonly card: string;
  readonly fields: Fields;
  readonly first: Answer;
  readonly retry: Answer;
};

/** The fields of a message, after what it names has been approved. */
async function fieldsOf({ call }: Stage, api: Repeated, card: string): Promise<Fields> {
  const extra: Fields = {
    ...(api === 'TransferFund' ? { toCardToken: newCard() } : {}),
    ...(api.endsWith('Adjustment') ? { memo: 'a test' } : {}),
  };
  const { of } = MESSAGES[api];
  if (!of) return { ...money(card), ...extra };
  const original = await call(of, money(card, '100.00'));
  expect(said(original)).toBe('200 00');
  return { ...money(card), originalTranId: original.tranId };
}

/** One message that the issuer does, and resets the connection; then its repeats, and a retry once that is over. */
async function inDoubt(stage: Stage, api: Repeated, onTheWay: readonly Behaviour[]): Promise<Run> {
  const { issuer, call } = stage;
  const [tranId, card] = [newTranId(), newCard()];
  const fields = await fieldsOf(stage, api, card);
  for (const behaviour of [{ kind: 'resetAfterEffect' } as const, ...onTheWay]) {
    issuer.script(api, behaviour, { tranId, times: 1 });
  }
  const first = await call(api, fields, { tranId });
  const sends = 2 + onTheWay.length;
  await issuer.waitFor(`${sends} sends of a ${api}`, () => issuer.requestsOf(api, tranId).length >= sends);
  const retry = await untilTold(() => call(api, fields, { tranId }));
  return { tranId, card, fields, first, retry };
}

const played = onBoth(async journal => {
  const stage = await openStage({ journal });
  return { stage, runs: allAtOnce(CASES, ({ api, onTheWay }) => inDoubt(stage, api, onTheWay)) };
});

describe.each(JOURNALS)('repeats, on %s', journal => {
  it.each(CASES)('I1 I5 F20 $api, $title on the way: 09, repeated until answered, done once', async one => {
    const { stage, runs } = played(journal);
    const { issuer } = stage;
    const { tranId, card, first, retry } = await runs.of(one);
    expect([said(first), first.body.tranId, first.body.availableBalance]).toEqual(['200 09', tranId, undefined]);
    expect([said(retry), retry.body.tranId, retry.body.authCode]).toEqual(['200 00 replayed', tranId, 'A00001']);

    const sends = issuer.requestsOf(one.api, tranId);
    expect(sends.map(({ repeat }) => repeat)).toEqual([false, ...Array(one.onTheWay.length + 1).fill(true)]);
    for (const { body } of sends) expect(body).toEqual(sends[0]?.body);
    expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect(undosOf(issuer, tranId)).toEqual([]);
    expect(issuer.balanceOf(card)).toBe(MESSAGES[one.api].balance);
  });

  it('I1 I5 nothing is owed, and nothing is sent any more', async () => {
    const { stage, runs } = played(journal);
    await runs.all();
    await untilNothingDue(stage);
    expect(await messagesInASecond(stage)).toBe(0);
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(stage.issuer.violations).toEqual([]);
  });

  it('I2 I3 while in doubt every retry hears 09 and is not forwarded; the repeats go on through HTTP 400', async () => {
    const { issuer, gateway, call } = played(journal).stage;
    const [tranId, card] = [newTranId(), newCard()];
    const refusal = { participantId: gateway.participantId, tranId, responseCode: '30', responseDesc: 'no' };
    issuer.script('LoadFund', { kind: 'resetBeforeEffect' }, { tranId, times: 1 });
    let refusing = true;
    const when = { tranId, where: () => refusing };
    issuer.script('LoadFund', { kind: 'status', status: 400, body: JSON.stringify(refusal) }, when);
    const retry = () => call('LoadFund', money(card), { tranId });
    const copies = await Promise.all(Array.from({ length: 10 }, retry));
    expect(new Set(copies.map(said))).toEqual(new Set(['200 09']));
    await issuer.waitFor('three repeats', () => issuer.requestsOf('LoadFund', tranId).length >= 4);
    expect(said(await retry())).toBe('200 09');
    expect(await owed(gateway)).toEqual({ doubts: 1, due: 1, parked: 0, money: 1000 });
    expect(issuer.requestsOf('LoadFund', tranId).filter(({ repeat }) => !repeat)).toHaveLength(1);
    refusing = false;
    await untilNothingDue(played(journal).stage);
    expect(said(await retry())).toBe('200 00 replayed');
    expect(issuer.balanceOf(card)).toBe('1010.00');
  });

  it.each(['Refund', 'LoadFund'] as const)('I3 F29 %s: a retry learns a decline as well, for good', async api => {
    const { stage } = played(journal);
    const { issuer, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    const fields = await fieldsOf(stage, api, card);
    const balance = issuer.balanceOf(card);
    issuer.script(api, { kind: 'resetBeforeEffect' }, { tranId, times: 1 });
    issuer.script(api, { kind: 'decline', code: '57' }, { tranId });
    expect(said(await call(api, fields, { tranId }))).toBe('200 09');
    await untilNothingDue(stage);
    issuer.heal();
    for (const _ of [1, 2]) expect(said(await call(api, fields, { tranId }))).toBe('200 57 replayed');
    expect(issuer.requestsOf(api, tranId).map(({ repeat }) => repeat)).toEqual([false, true]);
    expect(issuer.balanceOf(card)).toBe(balance);
  });

  it('F6 I4 other content while in doubt is 94, and changes nothing', async () => {
    const { stage } = played(journal);
    const { issuer, call } = stage;
    const [tranId, card] = [newTranId(), newCard()];
    let silent = true;
    issuer.script('LoadFund', code('91'), { tranId, where: () => silent });
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 09');
    expect(said(await call('LoadFund', money(card, '11.00'), { tranId }))).toBe('400 94');
    silent = false;
    await untilNothingDue(stage);
    expect(said(await call('LoadFund', money(card), { tranId }))).toBe('200 00 replayed');
    expect(issuer.balanceOf(card)).toBe('1010.00');
  });

  it('nothing of this was parked, raised an alarm or broke the contract with the issuer', async () => {
    const { stage } = played(journal);
    expect(await alarms(stage.gateway, 'parked')).toBe(0);
    expect(await alarms(stage.gateway, 'defect')).toBe(0);
    expect(stage.issuer.violations).toEqual([]);
  });
});
