/**
 * Inquiries change nothing and are not in the journal: each call is sent once, whatever becomes of it, so that a PIN or a
 * CVV2 is never tried twice for one request of its caller. For every inquiry of the catalogue.
 */
import { describe, expect, it } from 'vitest';
import { newTranId } from '../support/client.ts';
import type { Behaviour } from '../support/issuerScript.ts';
import { ALL_SCOPES, examplesOf } from './examples.ts';
import { JOURNALS, NOTHING_OWED, onBoth, openStage, owed, said } from './support.ts';

const FAULTS: readonly Behaviour[] = [
  { kind: 'resetAfterEffect' },
  { kind: 'garbage' },
  { kind: 'status', status: 503 },
  { kind: 'code', code: '96' },
  { kind: 'wrongEcho' },
];

/** Every inquiry: once with each fault, then answered, then declined, all under one `tranId`. */
async function playAll(journal: (typeof JOURNALS)[number]) {
  const stage = await openStage({ journal, scopes: ALL_SCOPES });
  const told = await Promise.all(
    examplesOf('none').map(async ({ api, fields, answer }) => {
      const tranId = newTranId();
      const { issuer } = stage;
      for (const fault of FAULTS) issuer.script(api, fault, { tranId, times: 1 });
      issuer.script(api, { kind: 'answer', fields: answer }, { tranId, times: 1 });
      issuer.script(api, { kind: 'answer', fields: { responseCode: '55' } }, { tranId });
      const heard = [];
      for (let no = 0; no < FAULTS.length + 2; no += 1) heard.push(await stage.call(api, fields, { tranId }));
      return { api, fields, answer, heard, sent: issuer.requestsOf(api, tranId) };
    }),
  );
  return { stage, told };
}

describe.each(JOURNALS)('every inquiry with its journal in %s', journal => {
  const on = onBoth(playAll);

  it('is sent once for each call, as a first send, and never by itself', async () => {
    const { told, stage } = on(journal);
    expect(told.map(({ api }) => api)).toEqual(
      expect.arrayContaining(['PINVerify', 'CardCVV2Verify', 'Verification', 'OOBResultInquiry']),
    );
    for (const { api, fields, heard, sent } of told) {
      expect([api, sent.length]).toEqual([api, heard.length]);
      expect(sent.some(({ repeat }) => repeat)).toBe(false);
      for (const { body } of sent) expect(body).toMatchObject(fields);
    }
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
  });

  it('is 91 without a definite answer, and otherwise what the issuer says now: nothing is kept', () => {
    for (const { api, answer, heard } of on(journal).told) {
      const [approved] = heard.slice(FAULTS.length);
      expect([api, ...heard.map(said)]).toEqual([api, ...FAULTS.map(() => '200 91'), '200 00', '200 55']);
      expect(approved?.body).toMatchObject(answer);
    }
  });

  it('does not say that nothing was sent, where it may have arrived', () => {
    const texts = on(journal).told.flatMap(({ heard }) =>
      heard.slice(0, FAULTS.length).map(({ body }) => body.responseDesc),
    );
    expect(new Set(texts)).toEqual(new Set(['no usable answer from the issuer in time']));
  });
});
