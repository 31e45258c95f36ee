/**
 * The drop-down lists, which must name exactly what the APIs accept, and the table of APIs, which must be that of the
 * catalogue.
 */
import { describe, expect, it } from 'vitest';
import { APIS } from '../../../src/catalogue/apis.ts';
import { handlerOf } from '../../../src/sandbox/handlers.ts';
import { apply, issue, openStage } from './issuing.ts';

const { send, code } = openStage();

async function codesOf(dropDownName: string): Promise<string[]> {
  const { recordList } = await send('DropDownListInquiry', { dropDownName });
  const list: Record<string, string>[] = Array.isArray(recordList) ? recordList : [];
  expect(list.length).toBeGreaterThan(2);
  return list.map(({ dropDownCode }) => dropDownCode ?? '');
}

describe('every code of a drop-down list is taken', () => {
  it('CardProd', async () => {
    for (const cardProdCode of await codesOf('CardProd')) await apply(send, { cardProdCode });
  });

  it('ReplReasonCode', async () => {
    for (const reasonCode of await codesOf('ReplReasonCode')) {
      const { cardToken } = await issue(send);
      expect(await code('CardReplacement', { cardToken, replaceType: 'R', reasonCode })).toBe('00');
    }
  });

  it('CloseReasonCode', async () => {
    for (const reasonCode of await codesOf('CloseReasonCode')) {
      const { cardToken } = await issue(send);
      expect(await code('CardCancellation', { cardToken, reasonCode })).toBe('00');
    }
  });

  it('CardLimitType', async () => {
    const { cardToken } = await issue(send);
    for (const cardLimitType of await codesOf('CardLimitType')) {
      const recordList = [{ cardLimitType, limitCount: '1' }];
      expect(await code('CardLimitSetting', { cardToken, recordList })).toBe('00');
    }
  });

  it('CardStatus tells the statuses', async () => {
    expect(await codesOf('CardStatus')).toEqual(['N', 'U', 'O', 'L', 'P', 'D', 'X']);
  });
});

describe('the table of APIs', () => {
  it('has the kind of each that the catalogue says', () => {
    const kinds = APIS.map(row => {
      const kind = handlerOf(row.name)?.kind;
      return [row.name, kind];
    });
    const expected = APIS.map(row => {
      if (row.class === 'inquiry' || row.class === 'command') return [row.name, row.class];
      return [row.name, 'money'];
    });
    expect(kinds).toEqual(expected);
    expect(APIS).toHaveLength(47);
    expect(handlerOf('constructor')).toBeUndefined();
  });
});
