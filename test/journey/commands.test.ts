/**
 * Commands whose outcome is unknown: nothing is sent by itself, the caller's retry goes out again as the caller sends it
 * now, and only a definite answer ends the doubt. For every command of the catalogue, then each rule by itself.
 */
import { describe, expect, it } from 'vitest';
import { type CallOptions, newTranId } from '../support/client.ts';
import { waitFor } from '../support/waitFor.ts';
import { ALL_SCOPES, type Example, exampleNamed, examplesOf } from './examples.ts';
import { metric } from './rig.ts';
import {
  AS_OTHER,
  blamed,
  JOURNALS,
  messagesInASecond,
  NOTHING_OWED,
  onBoth,
  openStage,
  owed,
  type Stage,
  said,
} from './support.ts';

const { fields: PIN_CHANGE } = exampleNamed('PINChange');
const PIN = 'PINChange';

/** Calls, and again under the same `tranId`. */
const teller = ({ call }: Stage, { api, fields }: Pick<Example, 'api' | 'fields'>, tranId = newTranId()) => ({
  tranId,
  tell: (changes = {}, options: CallOptions = {}) => call(api, { ...fields, ...changes }, { tranId, ...options }),
});

/** A PIN change that the issuer was sent and never answered. */
async function inDoubt(stage: Stage) {
  const { tranId, tell } = teller(stage, { api: PIN, fields: PIN_CHANGE });
  stage.issuer.script(PIN, { kind: 'resetAfterEffect' }, { tranId, times: 1 });
  expect(said(await tell())).toBe('200 09');
  const sent = () => stage.issuer.requestsOf(PIN, tranId);
  return { tranId, tell, sent, repeats: () => sent().map(({ repeat }) => repeat) };
}

/** Every command at once: in doubt, told again, told once more. */
async function playAll(journal: (typeof JOURNALS)[number]) {
  const stage = await openStage({ journal, scopes: ALL_SCOPES });
  const played = await Promise.all(
    examplesOf('resend').map(async example => {
      const { api, answer } = example;
      const { tranId, tell } = teller(stage, example);
      stage.issuer.script(api, { kind: 'resetAfterEffect' }, { tranId, times: 1 });
      stage.issuer.script(api, { kind: 'answer', fields: answer }, { tranId });
      const doubt = await tell();
      return { example, tranId, doubt, tell };
    }),
  );
  const sentByItself = await messagesInASecond(stage);
  const owedMeanwhile = await owed(stage.gateway);
  const told = await Promise.all(
    played.map(async ({ example, tranId, doubt, tell }) => {
      const retry = await tell();
      const replay = await tell();
      return { example, doubt, retry, replay, sent: stage.issuer.requestsOf(example.api, tranId) };
    }),
  );
  return { stage, told, sentByItself, owedMeanwhile };
}

describe.each(JOURNALS)('every command on %s', journal => {
  const on = onBoth(playAll);

  it('F40 is told 09 in doubt, and nothing is sent or owed until its caller comes back', () => {
    const { told, sentByItself, owedMeanwhile } = on(journal);
    expect(told.length).toBeGreaterThan(20);
    expect(told.map(({ doubt }) => said(doubt))).toEqual(told.map(() => '200 09'));
    expect(sentByItself).toBe(0);
    expect(owedMeanwhile).toEqual(NOTHING_OWED);
  });

  it('is sent again at the retry: the same message under the same tranId, with Repeat: true', () => {
    for (const { example, retry, sent } of on(journal).told) {
      expect([example.api, said(retry)]).toEqual([example.api, '200 00']);
      expect(retry.body).toMatchObject(example.answer);
      expect(sent.slice(0, 2).map(({ repeat }) => repeat)).toEqual([false, true]);
      for (const { body } of sent) expect(body).toMatchObject(example.fields);
    }
  });

  it('I3 is told again what it was told, without its sad fields, and only what needs them asks again', () => {
    for (const { example, replay, sent } of on(journal).told) {
      const { row, api, answer } = example;
      expect([api, said(replay)]).toEqual([api, row.askAgain ? '200 00' : '200 00 replayed']);
      expect([api, sent.length]).toEqual([api, row.askAgain ? 3 : 2]);
      const { CVV2, hceCardInfo, ...kept } = answer;
      expect(replay.body).toMatchObject(row.askAgain ? answer : kept);
      if (!row.askAgain) expect(Object.keys(replay.body)).not.toContain(CVV2 === undefined ? 'hceCardInfo' : 'CVV2');
    }
  });
});

describe.each(JOURNALS)('a command in doubt on %s', journal => {
  const on = onBoth(async kind => ({ stage: await openStage({ journal: kind, scopes: ALL_SCOPES }) }));
  const stage = () => on(journal).stage;

  it('goes out with the sad fields of the retry, which may differ and are compared with nothing', async () => {
    const { tell, sent } = await inDoubt(stage());
    expect(said(await tell({ pinBlock: 'AAAA00001111BBBB', newPinBlock: 'BBBB00001111AAAA' }))).toBe('200 00');
    expect(sent().map(({ body }) => body.pinBlock)).toEqual([PIN_CHANGE.pinBlock, 'AAAA00001111BBBB']);
    expect(said(await tell({ pinBlock: 'CCCC00001111BBBB' }))).toBe('200 00 replayed');
    expect(sent()).toHaveLength(2);
  });

  it('F10 is not sent again for other content, nor for another client', async () => {
    const { tell, repeats } = await inDoubt(stage());
    const other = await tell({ cardToken: 'another-card' });
    expect([said(other), blamed(other)]).toEqual(['400 94', ['cardToken']]);
    const stranger = await tell({}, AS_OTHER);
    expect([said(stranger), blamed(stranger)]).toEqual(['400 94', []]);
    expect(repeats()).toEqual([false]);
  });

  it('I3 ends with a decline as with an approval, and a wrong PIN is never tried by itself', async () => {
    const { tranId, tell } = teller(stage(), { api: PIN, fields: PIN_CHANGE });
    const { issuer } = stage();
    issuer.script(PIN, { kind: 'resetBeforeEffect' }, { tranId, times: 1 });
    issuer.script(PIN, { kind: 'decline', code: '55' }, { tranId });
    expect([await tell(), await tell(), await tell()].map(said)).toEqual(['200 09', '200 55', '200 55 replayed']);
    expect(issuer.requestsOf(PIN, tranId)).toHaveLength(2);
  });

  it.each([
    ['no answer', { kind: 'resetAfterEffect' }],
    ['an open code', { kind: 'code', code: '96' }],
    ['a refusal at its door', { kind: 'status', status: 403, effect: false }],
    ['another transaction', { kind: 'wrongEcho' }],
  ] as const)(
    'stays in doubt where its retry brings %s, and each further retry goes out once',
    async (_, behaviour) => {
      const { tranId, tell, repeats } = await inDoubt(stage());
      stage().issuer.script(PIN, behaviour, { tranId, times: 2 });
      expect([said(await tell()), said(await tell())]).toEqual(['200 09', '200 09']);
      expect(said(await tell())).toBe('200 00');
      expect(said(await tell())).toBe('200 00 replayed');
      expect(repeats()).toEqual([false, true, true, true]);
    },
  );

  it('stays in doubt where its retry is called malformed: that says nothing of the first one', async () => {
    const { tranId, tell, repeats } = await inDoubt(stage());
    const { issuer, gateway } = stage();
    const body = JSON.stringify({ participantId: gateway.participantId, tranId, responseCode: '24' });
    issuer.script(PIN, { kind: 'status', status: 400, body, effect: false }, { tranId, times: 1 });
    expect([await tell(), await tell()].map(said)).toEqual(['200 09', '200 00']);
    expect(repeats()).toEqual([false, true, true]);
    // Of one that was sent for the first time it says all.
    const { tranId: first, tell: malformed } = teller(stage(), { api: PIN, fields: PIN_CHANGE });
    issuer.script(
      PIN,
      { kind: 'status', status: 400, body: body.replace(tranId, first), effect: false },
      { tranId: first },
    );
    expect([await malformed(), await malformed()].map(said)).toEqual(['200 24', '200 24 replayed']);
  });

  it('F46 is not 91 because its retry could not be sent', async () => {
    const { tell, repeats } = await inDoubt(stage());
    await stage().proxy.mode('refuse');
    try {
      expect(said(await tell())).toBe('200 09');
    } finally {
      await stage().proxy.mode('pass');
    }
    expect(repeats()).toEqual([false]);
    expect(said(await tell())).toBe('200 00');
  });

  it('I1 goes out once for retries that come at once: the others wait, and hear the same', async () => {
    const { tranId, tell, repeats } = await inDoubt(stage());
    const { issuer } = stage();
    issuer.script(PIN, { kind: 'queueUntilReleased' }, { tranId, times: 1 });
    const told = Array.from({ length: 8 }, () => tell());
    await issuer.waitFor('the retry', () => repeats().length === 2);
    expect(await messagesInASecond(stage())).toBe(0);
    issuer.release();
    const heard = (await Promise.all(told)).map(said).sort();
    expect(heard).toEqual(['200 00', ...Array.from({ length: 7 }, () => '200 00 replayed')]);
    expect(repeats()).toEqual([false, true]);
  });

  it('is not sent again by a retry that came before the doubt: that one hears 09', async () => {
    const { tranId, tell } = teller(stage(), { api: PIN, fields: PIN_CHANGE });
    const { issuer, gateway, proxy } = stage();
    issuer.script(PIN, { kind: 'hang' }, { tranId, times: 1 });
    const first = tell();
    await issuer.waitFor('the command', () => issuer.requestsOf(PIN, tranId).length === 1);
    const second = tell();
    await waitFor('the retry', async () => (await metric(gateway, 'gateway_in_flight')) === 2);
    proxy.drop();
    expect([said(await first), said(await second)]).toEqual(['200 09', '200 09']);
    expect(issuer.requestsOf(PIN, tranId)).toHaveLength(1);
  });
});

describe.each(JOURNALS)('what is asked again on %s', journal => {
  const on = onBoth(async kind => ({ stage: await openStage({ journal: kind, scopes: ALL_SCOPES }) }));
  const stage = () => on(journal).stage;
  const API = 'GenerateDCVV';
  /** Each call is given the next value. */
  const dcvv = () => {
    const { tranId, tell } = teller(stage(), exampleNamed(API));
    const { issuer } = stage();
    for (const DCVV of ['1111', '2222', '3333', '4444']) {
      issuer.script(API, { kind: 'answer', fields: { DCVV } }, { tranId, times: 1 });
    }
    return { tranId, tell, repeats: () => issuer.requestsOf(API, tranId).map(({ repeat }) => repeat) };
  };

  it('is answered by the issuer each time, never from the journal', async () => {
    const { tell, repeats } = dcvv();
    const told = [await tell(), await tell(), await tell()];
    expect(told.map(answer => `${said(answer)} ${answer.body.DCVV}`)).toEqual([
      '200 00 1111',
      '200 00 2222',
      '200 00 3333',
    ]);
    expect(repeats()).toEqual([false, true, true]);
  });

  it('gives each of those who ask at once a value, one after the other', async () => {
    const { tell, repeats } = dcvv();
    const told = await Promise.all([tell(), tell(), tell(), tell()]);
    expect(told.map(({ body }) => body.DCVV).sort()).toEqual(['1111', '2222', '3333', '4444']);
    expect(told.map(said)).toEqual(['200 00', '200 00', '200 00', '200 00']);
    expect(repeats()).toEqual([false, true, true, true]);
  });

  it('is in doubt where the repeat is not answered, and an approval without its value is never told', async () => {
    const { tranId, tell } = teller(stage(), exampleNamed(API));
    const { issuer } = stage();
    issuer.script(API, { kind: 'answer', fields: { DCVV: '1111' } }, { tranId, times: 1 });
    issuer.script(API, { kind: 'resetAfterEffect' }, { tranId, times: 1 });
    issuer.script(API, { kind: 'answer', fields: { DCVV: '2222' } }, { tranId });
    expect([await tell(), await tell(), await tell()].map(said)).toEqual(['200 00', '200 09', '200 00']);
  });

  it('I3 is declined once and for all', async () => {
    const { tranId, tell } = teller(stage(), exampleNamed(API));
    stage().issuer.script(API, { kind: 'decline', code: '57' }, { tranId });
    expect([await tell(), await tell()].map(said)).toEqual(['200 57', '200 57 replayed']);
    expect(stage().issuer.requestsOf(API, tranId)).toHaveLength(1);
  });
});
