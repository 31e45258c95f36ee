/**
 * Holds over HTTP: blocking, adding, releasing in part and by part, and completion; above all that no hold gives more
 * than it has, whatever races.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fields, freshId, money, type Sandbox, startSandbox } from './support.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const code = (api: string, fields?: Fields): Promise<string> => sandbox.code(api, fields);
const unblock = (originalTranId: string, fields: Fields = {}) =>
  sandbox.call('UnblockFund', { originalTranId, ...fields });
const unblockCode = async (originalTranId: string, fields: Fields = {}): Promise<unknown> =>
  (await unblock(originalTranId, fields)).body.responseCode;

async function block(amount: string, fields: Fields = {}): Promise<string> {
  const tranId = freshId();
  expect(await code('BlockFund', { ...money(amount), tranId, ...fields })).toBe('00');
  return tranId;
}

async function standing(): Promise<[string, string]> {
  const { availableBalance, blockedAmount } = await sandbox.ledger();
  return [availableBalance, blockedAmount];
}

describe('BlockFund', () => {
  it('sets money aside, which can then not be spent', async () => {
    const { body } = await sandbox.call('BlockFund', money('900.00'));
    expect(body).toMatchObject({
      responseCode: '00',
      tranAmount: '900.00',
      availableBalance: '100.00',
      ledgerBalance: '1000.00',
      blockedAmount: '900.00',
    });
    expect(await code('Purchase', money('100.01'))).toBe('51');
    expect(await code('BlockFund', money('100.01'))).toBe('51');
    expect(await standing()).toEqual(['100.00', '900.00']);
  });

  it('adds to an earlier hold, by the tranId of any of its parts', async () => {
    const root = await block('100.00');
    const added = await block('50.00', { originalTranId: root });
    const { body } = await sandbox.call('BlockFund', { ...money('25.00'), originalTranId: added });
    expect(body).toMatchObject({ responseCode: '00', blockedAmount: '175.00' });
    const { holds } = await sandbox.ledger();
    expect(holds).toMatchObject([{ tranId: root, state: 'open', amount: '175.00', remaining: '175.00' }]);
    expect(holds[0]?.parts).toHaveLength(3);
  });

  it.each<[string, Fields, string]>([
    ['an unknown hold', { originalTranId: 'nothing' }, '25'],
    ['something that is no hold', { originalTranId: 'load' }, '12'],
    ['a hold that was declined', { originalTranId: 'poor' }, '12'],
    ['a hold that was released', { originalTranId: 'free' }, '12'],
    ['a hold that was completed', { originalTranId: 'taken' }, '12'],
    ['the hold of another card', { originalTranId: 'held', cardToken: 'other' }, '04'],
  ])('does not add to %s (F42)', async (_, fields, expected) => {
    await code('LoadFund', { ...money('1.00'), tranId: 'load' });
    await code('BlockFund', { ...money('9000.00'), tranId: 'poor' });
    for (const tranId of ['free', 'taken', 'held']) await block('10.00', { tranId });
    await unblock('free');
    await code('Purchase', { ...money('10.00'), originalTranId: 'taken' });
    expect(await code('BlockFund', { ...money('5.00'), ...fields })).toBe(expected);
    expect(await standing()).toEqual(['981.00', '10.00']);
  });

  it('declines a frozen or expired card, a wrong CVV2 and another currency', async () => {
    expect(await code('BlockFund', { ...money('1.00'), cardToken: 'frozen' })).toBe('03');
    expect(await code('BlockFund', { ...money('1.00'), cardToken: 'expired' })).toBe('54');
    expect(await code('BlockFund', { ...money('1.00'), CVV2: '0000' })).toBe('82');
    expect(await code('BlockFund', money('1.00', '978'))).toBe('57');
  });
});

describe('UnblockFund', () => {
  it('frees a part, then all that is left, then nothing more', async () => {
    const hold = await block('100.00');
    expect((await unblock(hold, money('30.00'))).body).toMatchObject({ responseCode: '00', blockedAmount: '70.00' });
    expect(await unblockCode(hold, money('70.01'))).toBe('61');
    expect((await unblock(hold)).body).toMatchObject({
      responseCode: '00',
      blockedAmount: '0.00',
      availableBalance: '1000.00',
    });
    expect(await unblockCode(hold)).toBe('12');
    expect(await unblockCode(hold, money('0.01'))).toBe('61');
    expect(await unblockCode(hold, money('100.00'))).toBe('61');
    expect(await standing()).toEqual(['1000.00', '0.00']);
  });

  it('frees no more than is held when releases race that are each fine alone (F41, I7)', async () => {
    const hold = await block('100.00');
    const codes = await Promise.all(Array.from({ length: 12 }, () => unblockCode(hold, money('30.00'))));
    expect(codes.filter(each => each === '00')).toHaveLength(3);
    expect(codes.filter(each => each === '61')).toHaveLength(9);
    expect(await standing()).toEqual(['990.00', '10.00']);
  });

  it('says again that a hold is undone, without an effect, when it was freed whole before', async () => {
    const hold = await block('100.00');
    await block('100.00');
    for (let times = 0; times < 3; times += 1) expect(await unblockCode(hold, money('100.00'))).toBe('00');
    expect(await standing()).toEqual(['900.00', '100.00']);
  });

  it('frees just the part that is named, and the whole hold by its first tranId', async () => {
    const root = await block('100.00');
    const added = await block('50.00', { originalTranId: root });
    expect((await unblock(added, money('50.00'))).body).toMatchObject({ responseCode: '00', blockedAmount: '100.00' });
    expect(await unblockCode(added, money('50.00'))).toBe('00');
    expect(await unblockCode(added)).toBe('12');
    expect(await standing()).toEqual(['900.00', '100.00']);
    await block('20.00', { originalTranId: root });
    expect(await unblockCode(root, money('110.00'))).toBe('00');
    expect(await standing()).toEqual(['990.00', '10.00']);
    expect(await unblockCode(root)).toBe('00');
    expect(await standing()).toEqual(['1000.00', '0.00']);
  });

  it('is done already where the BlockFund was declined', async () => {
    expect(await code('BlockFund', { ...money('9000.00'), tranId: 'poor' })).toBe('51');
    expect((await unblock('poor', money('9000.00'))).body).toMatchObject({ responseCode: '00', blockedAmount: '0.00' });
    expect(await standing()).toEqual(['1000.00', '0.00']);
  });

  it('declines what is no hold, not there, of another card, in another currency or completed (F42)', async () => {
    const hold = await block('10.00');
    await code('LoadFund', { ...money('1.00'), tranId: 'load' });
    expect(await unblockCode('load')).toBe('12');
    expect(await unblockCode('nothing')).toBe('25');
    expect(await unblockCode(hold, { cardToken: 'other' })).toBe('04');
    expect(await unblockCode(hold, money('10.00', '978'))).toBe('57');
    expect(await code('Purchase', { ...money('1.00'), originalTranId: hold })).toBe('00');
    expect(await unblockCode(hold)).toBe('12');
    expect(await unblockCode(hold, money('10.00'))).toBe('12');
  });
});

describe('a Purchase that completes a hold', () => {
  it('takes up to what is held, ends the hold and frees the rest', async () => {
    const hold = await block('100.00');
    await block('50.00', { originalTranId: hold });
    expect(await code('Purchase', { ...money('150.01'), originalTranId: hold })).toBe('61');
    const tranId = freshId();
    const { body } = await sandbox.call('Purchase', { ...money('120.00'), originalTranId: hold, tranId });
    expect(body).toMatchObject({ responseCode: '00', availableBalance: '880.00', ledgerBalance: '880.00' });
    expect(await standing()).toEqual(['880.00', '0.00']);
    expect((await sandbox.ledger()).holds).toMatchObject([
      { state: 'completed', completedBy: tranId, remaining: '0.00' },
    ]);
    expect(await code('Purchase', { ...money('1.00'), originalTranId: hold })).toBe('12');
  });

  it('is reversed and refunded like any other, and the hold stays ended', async () => {
    const first = await block('100.00');
    const taken = freshId();
    await code('Purchase', { ...money('60.00'), originalTranId: first, tranId: taken });
    expect(await code('Reversal', { ...money('60.00'), originalTranId: taken })).toBe('00');
    expect(await standing()).toEqual(['1000.00', '0.00']);
    expect(await unblockCode(first)).toBe('12');
  });

  it('lets exactly one of completion and release win (F43)', async () => {
    const hold = await block('100.00');
    const codes = await Promise.all([
      code('Purchase', { ...money('100.00'), originalTranId: hold }),
      unblockCode(hold, money('100.00')),
      code('Purchase', { ...money('100.00'), originalTranId: hold }),
      unblockCode(hold),
    ]);
    expect(codes.filter(each => each === '00')).toHaveLength(1);
    expect((await standing())[1]).toBe('0.00');
  });

  it('declines a hold that is unknown, released, declined, no hold or of another card', async () => {
    const complete = (originalTranId: string, fields: Fields = {}) =>
      code('Purchase', { ...money('1.00'), originalTranId, ...fields });
    const released = await block('10.00');
    await unblock(released);
    const held = await block('10.00');
    await code('BlockFund', { ...money('9000.00'), tranId: 'poor' });
    await code('LoadFund', { ...money('1.00'), tranId: 'load' });
    expect(await complete('nothing')).toBe('25');
    expect(await complete(released)).toBe('12');
    expect(await complete('poor')).toBe('12');
    expect(await complete('load')).toBe('12');
    expect(await complete(held, { cardToken: 'other' })).toBe('04');
    expect(await standing()).toEqual(['991.00', '10.00']);
  });
});
