/**
 * Several gateways, each with a breaker of its own: what one of them has seen of an issuer is not what the others have
 * seen, and that must cost nothing but the calls of that one.
 */
import { expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, breakerOf, codeOf, PATIENT, payment, Rig, UNHURRIED } from './rig.ts';

it('F75 I10: what opened at one gateway costs nothing at the other, and closes by itself', PATIENT, async test => {
  const rig = new Rig(test);
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const proxy = await rig.proxy(issuer);
  const breaker = { minimumCalls: 3, windowMs: 60_000, openMs: 500 };
  const options = { ...UNHURRIED, journalUrl: redis.url, issuer: { ...UNHURRIED.issuer, breaker } };
  const cutOff = await rig.gateway({ baseUrl: `http://${proxy.host}:${proxy.port}/card-api` }, options);
  const well = await rig.gateway(issuer, options);

  await proxy.mode('refuse');
  const tranId = newTranId();
  expect(await codeOf(call(cutOff, 'Purchase', payment('card'), { tranId }))).toBe('91');
  await waitFor('the breaker to open', async () => {
    await call(cutOff, 'Purchase', payment('card'));
    return (await breakerOf(cutOff)) === 'open';
  });
  expect(await breakerOf(well)).toBe('closed');
  await approved(well, payment('other'));
  // What the one has answered is the answer everywhere.
  expect(await codeOf(call(well, 'Purchase', payment('card'), { tranId }))).toBe('91');

  await proxy.mode('pass');
  await approved(cutOff, payment('card'));
  expect(await breakerOf(cutOff)).toBe('closed');
  expect(issuer.balanceOf('card')).toBe('987.50');
});
