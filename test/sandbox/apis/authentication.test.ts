/**
 * One-time passwords and out-of-band authentication: their time, their tries, and the sandbox's own endpoints at which a
 * rehearsal plays the cardholder.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { freshId } from '../support.ts';
import { approved, handClock, issue, openStage } from './issuing.ts';

const clock = handClock();
const { sandbox, send, code } = openStage(clock);
const MINUTE_MS = 60_000;
/** As long as a password may be, and longer than those of the sandbox. */
const WRONG = '12345678';

/** An active card that is registered for 3-D Secure. Tells its token. */
async function registered(more: Record<string, string> = { custMobile: '+12025550100' }): Promise<string> {
  const { cardToken } = await issue(send);
  await approved(send, 'CardSecureRegist', { cardToken, registFlag: 'R', ...more });
  return cardToken;
}

async function sent(cardToken: string): Promise<{ otpRefNo: string; otp: string }> {
  const { otpRefNo = '' } = await approved(send, 'SendOTP', { cardToken, otpType: 'S' });
  const { body } = await sandbox().control('GET', `/_sandbox/otp/${otpRefNo}`);
  return { otpRefNo, otp: String(body.otp) };
}

describe('CardSecureRegist', () => {
  it('is asked for by both ways of authentication, and can be taken back', async () => {
    const { cardToken } = await issue(send);
    const both = async () => [
      await code('SendOTP', { cardToken, otpType: 'S' }),
      await code('StartOOBAuthen', { cardToken, acsTransId: 'acs' }),
    ];
    expect(await both()).toEqual(['57', '57']);
    await approved(send, 'CardSecureRegist', { cardToken, registFlag: 'R', custMobile: '+12025550100' });
    expect(await both()).toEqual(['00', '00']);
    await approved(send, 'CardSecureRegist', { cardToken, registFlag: 'U' });
    expect(await both()).toEqual(['57', '57']);
  });

  it('reaches the holder where it says, else where the customer’s record says', async () => {
    const cardToken = await registered({ custEmail: 'alex@example.com' });
    const ways = async (card: string) => [
      await code('SendOTP', { cardToken: card, otpType: 'S' }),
      await code('SendOTP', { cardToken: card, otpType: 'E' }),
    ];
    expect(await ways(cardToken)).toEqual(['57', '00']);
    const other = await issue(send, { custMobile: '+12025550101', custEmail: 'sam@example.com' });
    await approved(send, 'CardSecureRegist', { cardToken: other.cardToken, registFlag: 'R' });
    expect(await ways(other.cardToken)).toEqual(['00', '00']);
  });
});

describe('a one-time password', () => {
  it('is good once', async () => {
    const cardToken = await registered();
    const { otpRefNo, otp } = await sent(cardToken);
    expect(otp).toMatch(/^\d{6}$/);
    const verify = (tranId?: string) => code('VerifyOTP', { cardToken, otpRefNo, otp }, tranId);
    const tranId = freshId();
    expect([await verify(tranId), await verify(tranId), await verify()]).toEqual(['00', '00', '12']);
  });

  it('is 55 when wrong, and after three wrong ones 75, the right one too', async () => {
    const cardToken = await registered();
    const { otpRefNo, otp } = await sent(cardToken);
    for (const expected of ['55', '55', '55', '75']) {
      expect(await code('VerifyOTP', { cardToken, otpRefNo, otp: WRONG })).toBe(expected);
    }
    expect(await code('VerifyOTP', { cardToken, otpRefNo, otp })).toBe('75');
  });

  it('is over after five minutes, and when another one was sent', async () => {
    const cardToken = await registered();
    const first = await sent(cardToken);
    const second = await sent(cardToken);
    expect(await code('VerifyOTP', { cardToken, ...first })).toBe('12');
    clock.pass(5 * MINUTE_MS);
    expect(await code('VerifyOTP', { cardToken, ...second })).toBe('12');
  });

  it('is of its own card alone', async () => {
    const [one, two] = [await registered(), await registered()];
    const password = await sent(one);
    expect(await code('VerifyOTP', { cardToken: two, ...password })).toBe('25');
    expect(await code('VerifyOTP', { cardToken: one, ...password, otpRefNo: 'unknown' })).toBe('25');
    expect(await code('VerifyOTP', { cardToken: one, ...password })).toBe('00');
  });

  it('is sent ten times in ten minutes and no more', async () => {
    const cardToken = await registered();
    const ask = () => code('SendOTP', { cardToken, otpType: 'S' });
    for (let asked = 0; asked < 10; asked++) expect(await ask()).toBe('00');
    expect(await ask()).toBe('65');
    clock.pass(10 * MINUTE_MS);
    expect(await ask()).toBe('00');
  });

  it('is not sent twice under one tranId, is kept nowhere, and is not in the list of requests (I14)', async () => {
    const cardToken = await registered();
    const tranId = freshId();
    const first = await send('SendOTP', { cardToken, otpType: 'S' }, tranId);
    expect(await send('SendOTP', { cardToken, otpType: 'S' }, tranId)).toEqual(first);
    const { body } = await sandbox().control('GET', `/_sandbox/otp/${String(first.otpRefNo)}`);
    const otp = String(body.otp);
    await send('VerifyOTP', { cardToken, otpRefNo: String(first.otpRefNo), otp });
    const { ledgerFile } = sandbox().credentials;
    const bytes = readFileSync(ledgerFile, 'latin1') + readFileSync(`${ledgerFile}-wal`, 'latin1');
    // As text of its own: six digits may be part of a longer number.
    expect(bytes).not.toMatch(new RegExp(`\\D${otp}\\D`));
    expect(JSON.stringify(await sandbox().requests())).not.toContain('"otp"');
  });

  it('is declined where the card is frozen', async () => {
    const cardToken = await registered();
    await approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag: 'D' });
    expect(await code('SendOTP', { cardToken, otpType: 'S' })).toBe('03');
  });
});

describe('an out-of-band authentication', () => {
  const start = async (cardToken: string, validTime?: string): Promise<string> => {
    const asked = { cardToken, acsTransId: 'acs-7', ...(validTime !== undefined && { validTime }) };
    return (await approved(send, 'StartOOBAuthen', asked)).oobRefNo ?? '';
  };
  const result = async (oobRefNo: string) => (await send('OOBResultInquiry', { oobRefNo })).oobResult;
  const answer = async (oobRefNo: string, oobResult: unknown) =>
    (await sandbox().control('POST', `/_sandbox/oob/${oobRefNo}`, { oobResult })).status;

  it.each(['Y', 'N', 'E'])('is pending until the holder answers, and then %s, also past its time', async given => {
    const oobRefNo = await start(await registered());
    expect(await result(oobRefNo)).toBe('P');
    expect(await answer(oobRefNo, given)).toBe(200);
    expect(await result(oobRefNo)).toBe(given);
    clock.pass(60 * MINUTE_MS);
    expect(await result(oobRefNo)).toBe(given);
    expect(await answer(oobRefNo, 'Y')).toBe(400);
    expect(await result(oobRefNo)).toBe(given);
  });

  it.each<[string | undefined, number]>([
    [undefined, 5 * MINUTE_MS],
    ['30000', 30_000],
    ['9999999999', 15 * MINUTE_MS],
  ])('that may take %s ms expires', async (validTime, afterMs) => {
    const oobRefNo = await start(await registered(), validTime);
    clock.pass(afterMs - 1);
    expect(await result(oobRefNo)).toBe('P');
    clock.pass(1);
    expect([await result(oobRefNo), await answer(oobRefNo, 'Y')]).toEqual(['E', 400]);
  });

  it('goes on after a restart (I6), and is nobody else’s', async () => {
    const oobRefNo = await start(await registered());
    await sandbox().restart();
    expect(await answer(oobRefNo, 'Y')).toBe(200);
    expect(await result(oobRefNo)).toBe('Y');
    const theirs = await sandbox().call('OOBResultInquiry', { oobRefNo, participantId: '200000' }, { noCard: true });
    expect(theirs.body.responseCode).toBe('25');
    expect(await code('OOBResultInquiry', { oobRefNo: 'unknown' })).toBe('25');
  });
});

describe('the endpoints of the cardholder', () => {
  it.each<[string, string, unknown, number]>([
    ['GET', 'card/unknown', undefined, 404],
    ['GET', 'otp/unknown', undefined, 404],
    ['GET', 'otp', undefined, 404],
    ['GET', 'oob/unknown', undefined, 404],
    ['POST', 'oob/unknown', { oobResult: 'Y' }, 404],
    ['POST', 'oob/unknown', { oobResult: 'P' }, 400],
    ['POST', 'oob/unknown', [], 400],
    ['POST', 'otp/unknown', {}, 404],
    ['DELETE', 'oob/unknown', undefined, 404],
  ])('%s /_sandbox/%s with %j is %s', async (method, what, body, status) => {
    expect((await sandbox().control(method, `/_sandbox/${what}`, body)).status).toBe(status);
  });

  it('tell what is printed on the card, but for its number', async () => {
    const { cardToken, cardNumber, CVV2, expiryDate } = await issue(send);
    const { body } = await sandbox().control('GET', `/_sandbox/card/${cardToken}`);
    const cardMaskNumber = `${cardNumber.slice(0, 6)}******${cardNumber.slice(-4)}`;
    expect(body).toEqual({ cardToken, cardMaskNumber, expiryDate, CVV2 });
  });

  it('tell what the cardholder sees', async () => {
    const cardToken = await registered();
    const { otpRefNo } = await sent(cardToken);
    await code('VerifyOTP', { cardToken, otpRefNo, otp: WRONG });
    clock.pass(MINUTE_MS);
    expect((await sandbox().control('GET', `/_sandbox/otp/${otpRefNo}`)).body).toMatchObject({
      ...{ otpRefNo, otpType: 'S', validTime: String(4 * MINUTE_MS), wrongTries: 1, used: false },
    });
    const { oobRefNo } = await approved(send, 'StartOOBAuthen', { cardToken, acsTransId: 'acs-8' });
    expect((await sandbox().control('GET', `/_sandbox/oob/${oobRefNo}`)).body).toEqual({
      ...{ oobRefNo, acsTransId: 'acs-8', oobResult: 'P', validTime: String(5 * MINUTE_MS) },
    });
  });
});
