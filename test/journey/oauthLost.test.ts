/**
 * Redis has lost which assertions were used, under running gateways: none of those gives a second token, at any of
 * them, and new assertions give tokens again within the tolerance of clocks.
 */
import { expect, it } from 'vitest';
import { grantForm, Party, postToken } from '../support/oauth.ts';
import { waitFor } from '../support/waitFor.ts';
import { PATIENT, Rig } from './rig.ts';

const ISSUER = 'https://gateway.example';
/** As far as a client's clock may be ahead, less a second: its assertion cannot have been used long before. */
const AHEAD_S = 9;
const REFUSED = [503, 'temporarily_unavailable', '1'];

it('S54 F76: a used assertion gives no second token after Redis was flushed; a new one does', PATIENT, async test => {
  const rig = new Rig(test);
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const party = new Party('bank');
  const gateway = () =>
    rig.gateway(issuer, {
      journalUrl: redis.url,
      change: config => {
        if (config.oauth) config.oauth.issuer = ISSUER;
        config.clients.push(party.config());
      },
    });
  const [first, second] = [await gateway(), await gateway()];
  const ask = async (of: typeof first, assertion: string) => {
    const { status, body, headers } = await postToken(of, grantForm(assertion));
    return [status, body.error, headers['retry-after']];
  };
  const [used, unused] = [await party.assertion(ISSUER), await party.assertion(ISSUER)];
  expect(await ask(first, used)).toEqual([200, undefined, undefined]);
  await redis.flush();
  expect(await ask(second, used)).toEqual(REFUSED);
  expect(await ask(first, used)).toEqual(REFUSED);
  // Nobody can tell it from one that was used.
  expect(await ask(first, unused)).toEqual(REFUSED);
  await first.restart(false);
  expect(await waitFor('an answer after the restart', () => ask(first, used).catch(() => undefined))).toEqual(REFUSED);

  const fresh = await waitFor('a token', async () => {
    const assertion = await party.assertion(ISSUER, { iat: Math.floor(Date.now() / 1000) + AHEAD_S });
    return (await ask(second, assertion))[0] === 200 && assertion;
  });
  for (const each of [first, second]) {
    expect(await ask(each, fresh)).toEqual([401, 'invalid_client', undefined]);
    expect(await ask(each, used)).toEqual(REFUSED);
  }
});
