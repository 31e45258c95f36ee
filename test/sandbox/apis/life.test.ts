/**
 * The whole life of a card straight at the demo issuer, and what becomes of it when the issuer is restarted in between.
 */
import { describe, expect, it } from 'vitest';
import { FIELDS } from '../../../src/catalogue/fields.ts';
import { openStage } from './issuing.ts';
import { applyAndActivate, type Stage, wholeLife } from './wholeLife.ts';

/** What the list of requests may show of none of them. */
const SAD = Object.entries(FIELDS).flatMap(([name, row]) => ('data' in row && row.data === 'sad' ? [name] : []));

const { sandbox, send } = openStage();
const stage: Stage = {
  send,
  control: async (method, what, body) => {
    const answer = await sandbox().control(method, `/_sandbox/${what}`, body);
    expect(answer.status).toBe(200);
    return answer.body;
  },
};

describe('the life of a card', () => {
  it('is applied for, activated, limited, paid with, blocked, replaced and closed', async () => {
    await wholeLife(stage);
    const { requests } = await stage.control('GET', 'requests');
    const names = SAD.filter(name => JSON.stringify(requests).includes(`"${name}"`));
    expect(names).toEqual([]);
    expect(JSON.stringify(requests)).toContain('"recordList":[{"cardLimitType":"PT","limitAmount":"100.00"}]');
  });

  it('goes on after a restart of the issuer, its security code too (I6)', async () => {
    const { cardToken, CVV2 } = await applyAndActivate(stage);
    await sandbox().restart();
    expect(await stage.send('CardCVV2Inquiry', { cardToken })).toMatchObject({ CVV2 });
    expect(await stage.send('BalanceInquiry', { cardToken })).toMatchObject({ availableBalance: '1000.00' });
  });
});
