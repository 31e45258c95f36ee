/**
 * What a client may call by its programme and by the scopes that it was given, and the API that is retired: over HTTP,
 * through gateways that are configured anew while they run.
 */
import { describe, expect, it } from 'vitest';
import { MODULES } from '../../src/catalogue/scopes.ts';
import { API_PATHS, type ApiName } from '../support/apiPaths.ts';
import { type Answer, call, headerFields, post } from '../support/client.ts';
import { clientOf, newToken, PARTICIPANT, type TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { waitFor } from '../support/waitFor.ts';
import { PATIENT, Rig } from './rig.ts';

const CARD = { cardToken: 'tok-1' };
const MESSAGES = {
  Purchase: { ...CARD, tranAmount: '1.00', tranCurrency: '840' },
  CardExpiryDateUpdate: { ...CARD, expiryDate: '3012' },
  CardCVV2Inquiry: CARD,
  TokenInquiry: CARD,
  AccountStatusUpdate: { accountNo: 'A1', acctOptFlag: 'B' },
  PINReset: { ...CARD, newPinBlock: '0a' },
} as const satisfies Partial<Record<ApiName, object>>;
const BLACKLIST = { ...CARD, listFlag: 'B', linkFlag: 'L' };
const BLACKLIST_PATH = API_PATHS.BlacklistUpdate;

const NAMES = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[];

/** Which of the messages a client may send. */
const allowed = async (gateway: Gateway, token: string): Promise<readonly string[]> => {
  const answers = await Promise.all(NAMES.map(name => call(gateway, name, MESSAGES[name], { token })));
  for (const { status } of answers) expect([200, 403]).toContain(status);
  return NAMES.filter((_, index) => answers[index]?.status === 200);
};

describe('programmes', () => {
  const tokens = { prepaid: newToken(), debit: newToken() };
  const change = (balanceHeldBy: string) => (config: TestConfig) => {
    config.clients = (['prepaid', 'debit'] as const).map(product => ({
      ...clientOf(`${product}-client`, tokens[product]),
      product,
      scopes: MODULES,
    }));
    config.issuers = config.issuers.map(issuer => ({ ...issuer, balanceHeldBy }));
  };

  it(
    'may call by the columns of the catalogue where the processor holds the balance, and by scopes alone where the issuer does',
    PATIENT,
    async test => {
      const rig = new Rig(test);
      const issuer = await rig.issuer();
      issuer.script('*', { kind: 'decline', code: '05' });
      const gateway = await rig.gateway(issuer, { change: change('processor') });
      expect(await allowed(gateway, tokens.prepaid)).toEqual([
        ...['Purchase', 'CardCVV2Inquiry', 'TokenInquiry', 'AccountStatusUpdate', 'PINReset'],
      ]);
      expect(await allowed(gateway, tokens.debit)).toEqual(['CardExpiryDateUpdate', 'TokenInquiry', 'PINReset']);
      gateway.configure(change('issuer'));
      gateway.sighup();
      await waitFor('the reload', async () => (await allowed(gateway, tokens.debit)).length === NAMES.length);
      expect(await allowed(gateway, tokens.prepaid)).toEqual(NAMES);
    },
  );
});

/** All that a caller can see of an answer but its time and its request id. */
const seen = ({ status, text, headers }: Answer) => {
  const { date, timestamp, 'x-request-id': requestId, ...rest } = headers;
  return { status, text, headers: rest };
};

/** Posts to a path below the base path, with a whole message for the retired API unless it says otherwise. */
const postTo = (gateway: Gateway, path: string, token = gateway.token, body?: string): Promise<Answer> => {
  const message = { ...headerFields(PARTICIPANT, `T${newToken().slice(0, 20)}`), ...BLACKLIST };
  return post(`${gateway.url}${path}`, body ?? JSON.stringify(message), {
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      timestamp: String(Date.now()),
    },
  });
};

describe('the API that is retired', () => {
  const other = newToken();
  const enable = (config: TestConfig) => {
    config.clients.push({ ...clientOf('other-client', other), scopes: ['Card', 'BlacklistUpdate'] });
  };
  const disable = (config: TestConfig) => {
    config.clients = config.clients.filter(({ id }) => id !== 'other-client');
  };

  it('S120 is no API until a client names it; then others get 403 (S36), across reloads', PATIENT, async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { client: { scopes: MODULES } });
    const unknown = seen(await postTo(gateway, '/cardmgr/noSuchCard'));
    expect(unknown.status).toBe(404);
    const expectNoApi = async () => {
      expect(seen(await postTo(gateway, BLACKLIST_PATH))).toEqual(unknown);
      expect(seen(await postTo(gateway, BLACKLIST_PATH, 'not-a-token'))).toEqual(unknown);
      expect(seen(await postTo(gateway, BLACKLIST_PATH, gateway.token, '{'))).toEqual(unknown);
    };
    await expectNoApi();

    gateway.configure(enable);
    gateway.sighup();
    await waitFor('the reload', async () => (await postTo(gateway, BLACKLIST_PATH, other)).status === 200);
    expect(await call(gateway, 'BlacklistUpdate', BLACKLIST)).toMatchObject({ status: 403 });
    expect(await call(gateway, 'BlacklistUpdate', CARD, { token: other })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'listFlag' }, { field: 'linkFlag' }] },
    });
    const count = issuer.requests.length;
    expect(issuer.requestsOf('BlacklistUpdate')).toHaveLength(count);

    gateway.configure(disable);
    gateway.sighup();
    await waitFor('the reload', async () => (await postTo(gateway, BLACKLIST_PATH)).status === 404);
    await expectNoApi();
    expect(issuer.requests).toHaveLength(count);
  });

  it('stands in no log line and no metric as an API while it is not offered', PATIENT, async test => {
    const rig = new Rig(test);
    const gateway = await rig.gateway(await rig.issuer(), { client: { scopes: MODULES } });
    await postTo(gateway, BLACKLIST_PATH);
    await waitFor('the log line', async () => gateway.logLines().some(({ status }) => status === 404));
    expect(gateway.log()).not.toContain('BlacklistUpdate');
    expect(await gateway.metrics()).not.toContain('BlacklistUpdate');
  });
});
