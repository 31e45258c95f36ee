/**
 * Reading the demo issuer's ledger over HTTP: all that happened since the run began, in as many pages as it takes, and a
 * clear word where it cannot be read.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LedgerError, LedgerReader, minorOf } from '../../../bench/load/ledger.ts';
import { isCurrencyCode } from '../../../src/domain/currencies.ts';
import { money, type Sandbox, startSandbox } from '../../sandbox/support.ts';

const usd = '840';
if (!isCurrencyCode(usd)) throw new Error('840 is a currency');
const CARD = { cardToken: 'card', currency: usd };

describe('the ledger of the demo issuer', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(() => sandbox.close());

  it('shows what happened since it was opened, and the balances before and after', async () => {
    await sandbox.call('Purchase', money('1.00'));
    const reader = await LedgerReader.open(sandbox.url, [CARD, { ...CARD, cardToken: 'other' }]);
    await sandbox.call('Purchase', { ...money('2.50'), tranId: 'mine' });
    await sandbox.call('BlockFund', { ...money('4.00'), tranId: 'held' });
    const [card, other] = await reader.read();
    expect(card).toEqual({
      cardToken: 'card',
      before: { available: 99_900n, held: 0n },
      after: { available: 99_250n, held: 400n },
      effects: [
        { tranId: 'mine', type: 'Purchase', originalTranId: undefined, available: -250n, held: 0n },
        { tranId: 'held', type: 'BlockFund', originalTranId: undefined, available: -400n, held: 400n },
      ],
    });
    expect(other?.effects).toEqual([]);
    await sandbox.call('LoadFund', money('1.00'));
    expect((await reader.read())[0]?.effects).toHaveLength(3);
  });

  it('gives what comes after the first effects of a card', async () => {
    const all = (await sandbox.ledger()).effects.map(({ tranId }) => tranId);
    const beyond = async (count: string) => sandbox.control('GET', `/_sandbox/ledger/card?after=${count}`);
    for (const count of [0, 1, all.length, all.length + 1]) {
      const { body } = await beyond(String(count));
      const effects = body.effects as { tranId: string }[];
      expect([effects.map(({ tranId }) => tranId), body.effectsTotal]).toEqual([all.slice(count), all.length]);
    }
    for (const count of ['-1', 'x', '']) expect((await beyond(count)).status).toBe(400);
  });

  it.each([
    ['another currency', { cardToken: 'yen', currency: usd }, 'yen is in 392, not in 840'],
    ['a card that is not there', { cardToken: 'nobody', currency: usd }, 'does not know the card nobody'],
  ])('says so of %s', async (_, card, says) => {
    await expect(LedgerReader.open(sandbox.url, [card])).rejects.toThrow(says);
  });

  it('says so where there is no ledger', async () => {
    await expect(LedgerReader.open('http://127.0.0.1:1', [CARD])).rejects.toThrow(LedgerError);
  });
});

describe('a long ledger', () => {
  it('is read in pages, to its end', async () => {
    const effects = Array.from({ length: 25 }, (_, at) => ({
      tranId: `t${at}`,
      tranType: 'LoadFund',
      availableChange: '1.00',
      blockedChange: '0.00',
    }));
    let total = 0;
    const server = createServer((request, response) => {
      const after = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after'));
      const page = effects.slice(0, total).slice(after, after + 10);
      const body = {
        balanceCurrency: usd,
        availableBalance: `${total}.00`,
        blockedAmount: '0.00',
        effectsTotal: total,
      };
      response.end(JSON.stringify({ ...body, effects: page }));
    });
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
    try {
      const reader = await LedgerReader.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, [CARD]);
      total = 25;
      const [card] = await reader.read();
      expect(card?.effects.map(({ tranId }) => tranId)).toEqual(effects.map(({ tranId }) => tranId));
      expect([card?.before.available, card?.after.available]).toEqual([0n, 2500n]);
    } finally {
      server.close();
    }
  });
});

describe('an amount of the ledger', () => {
  it.each([
    ['1.50', 150n],
    ['-1.50', -150n],
    ['0.00', 0n],
    ['1.505', undefined],
    ['--1', undefined],
    [15, undefined],
  ])('%s is %s minor units', (text, minor) => {
    expect(minorOf(text, usd)).toBe(minor);
  });
});
