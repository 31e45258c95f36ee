/**
 * The two histories over HTTP: what is listed in which, newest first, by day and by page.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { readReply } from '../../src/catalogue/validate.ts';
import { type Fields, money, type Sandbox, startSandbox } from './support.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

type Records = Fields[];

async function history(api: string, fields: Fields = {}): Promise<Records> {
  const { status, body } = await sandbox.call(api, fields);
  expect([status, body.responseCode]).toEqual([200, '00']);
  const row = APIS.find(({ name }) => name === api);
  if (row) expect(readReply(row, body, { approved: true, currency: undefined })).toMatchObject({ kind: 'fields' });
  const list = body.recordList as Records;
  expect(body.recordNum).toBe(String(list.length));
  return list;
}

const ids = (records: Records): (string | undefined)[] => records.map(({ tranId }) => tranId);

/** One call of everything that leaves a trace. */
async function live(): Promise<void> {
  const steps: [string, Fields][] = [
    ['LoadFund', { tranId: 'load', memo: 'salary' }],
    ['Purchase', { tranId: 'buy', merchantName: 'Shop', merchantCategoryCode: '5411' }],
    ['Refund', { tranId: 'refund', originalTranId: 'buy', tranAmount: '4.00' }],
    ['Purchase', { tranId: 'poor', tranAmount: '9999.00', merchantName: 'Jeweller' }],
    ['Withdraw', { tranId: 'cash' }],
    ['Reversal', { tranId: 'undo', originalTranId: 'cash' }],
    ['Reversal', { tranId: 'undo2', originalTranId: 'cash' }],
    ['Reversal', { tranId: 'lost', originalTranId: 'nothing' }],
    ['BlockFund', { tranId: 'hold' }],
    ['TransferFund', { tranId: 'give', toCardToken: 'other' }],
    ['ServiceCharge', { tranId: 'fee' }],
  ];
  for (const [api, fields] of steps) await sandbox.call(api, { ...money('10.00'), ...fields });
  await sandbox.call('UnblockFund', { tranId: 'free', originalTranId: 'hold' });
  await sandbox.call('UnblockFund', { tranId: 'free2', originalTranId: 'hold' });
}

describe('TransactionHistory', () => {
  it('lists what moved money for good, newest first, on both cards of a transfer', async () => {
    await live();
    const records = await history('TransactionHistory');
    expect(ids(records)).toEqual(['fee', 'give', 'undo', 'cash', 'refund', 'buy', 'load']);
    expect(ids(await history('TransactionHistory', { cardToken: 'other' }))).toEqual(['give']);
    expect(records.at(-1)).toMatchObject({
      tranType: 'LoadFund',
      tranAmount: '10.00',
      tranCurrency: '840',
      memo: 'salary',
    });
    expect(records.at(-2)).toMatchObject({
      tranDate: '20260105',
      tranTime: '101500',
      merchantName: 'Shop',
      merchantCategoryCode: '5411',
      authCode: expect.stringMatching(/^\d{6}$/),
    });
    expect(records.at(-3)).toMatchObject({ tranType: 'Refund', tranAmount: '4.00', originalTranId: 'buy' });
  });

  it('tells what was booked: the part that was approved, and the billed amount', async () => {
    await sandbox.call('Purchase', { ...money('20.00', '978'), billAmount: '22.00', billCurrency: '840' });
    await sandbox.call('Purchase', { ...money('5000.00'), partialAllowed: 'Y' });
    expect(await history('TransactionHistory')).toMatchObject([
      { tranAmount: '978.00', tranCurrency: '840' },
      { tranAmount: '20.00', tranCurrency: '978', billAmount: '22.00', billCurrency: '840' },
    ]);
  });
});

describe('AuthorizationHistory', () => {
  it('lists every decision, declines too, and what was reversed', async () => {
    await live();
    const records = await history('AuthorizationHistory');
    const told = records.map(({ tranId, responseCode, reversed }) => [tranId, responseCode, reversed]);
    expect(told).toEqual([
      ['free', '00', 'N'],
      ['fee', '00', 'N'],
      ['give', '00', 'N'],
      ['hold', '00', 'N'],
      ['lost', '25', undefined],
      ['undo2', '00', 'N'],
      ['undo', '00', 'N'],
      ['cash', '00', 'Y'],
      ['poor', '51', undefined],
      ['refund', '00', 'N'],
      ['buy', '00', 'N'],
      ['load', '00', 'N'],
    ]);
    expect(records.find(({ tranId }) => tranId === 'poor')).toMatchObject({
      tranAmount: '9999.00',
      merchantName: 'Jeweller',
    });
    expect(records[0]).toMatchObject({ tranType: 'UnblockFund', tranAmount: '10.00', originalTranId: 'hold' });
  });
});

describe.each(['TransactionHistory', 'AuthorizationHistory'])('%s', api => {
  it('gives pages, newest first, and an empty one past the end', async () => {
    for (let at = 1; at <= 25; at += 1) await sandbox.call('Purchase', { ...money('1.00'), tranId: `p${at}` });
    expect(ids(await history(api))).toEqual(Array.from({ length: 20 }, (_, at) => `p${25 - at}`));
    expect(ids(await history(api, { pageNum: '2' }))).toEqual(['p5', 'p4', 'p3', 'p2', 'p1']);
    expect(ids(await history(api, { pageNum: '3', pageSize: '8' }))).toEqual(
      ids(await history(api))
        .slice(16, 20)
        .concat('p5', 'p4', 'p3', 'p2'),
    );
    expect(await history(api, { pageNum: '9999', pageSize: '100' })).toEqual([]);
  });

  it('keeps to the days that are asked for, both included', async () => {
    for (const tranDate of ['20260104', '20260105', '20260106', '20260107']) {
      await sandbox.call('Purchase', { ...money('1.00'), tranId: tranDate, tranDate });
    }
    expect(ids(await history(api, { startDate: '20260105', endDate: '20260106' }))).toEqual(['20260106', '20260105']);
    expect(ids(await history(api, { startDate: '20260107' }))).toEqual(['20260107']);
    expect(ids(await history(api, { endDate: '20260104' }))).toEqual(['20260104']);
    expect(await history(api, { startDate: '20260107', endDate: '20260104' })).toEqual([]);
  });

  it('declines a card that is not this participant’s (I16), and refuses a page size beyond the limit', async () => {
    expect(await sandbox.code(api, { cardToken: 'stranger' })).toBe('04');
    expect((await sandbox.call(api, { pageSize: '101' })).status).toBe(400);
    expect(await history(api)).toEqual([]);
  });
});
