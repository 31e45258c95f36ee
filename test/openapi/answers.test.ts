/**
 * What a real gateway answers, against the document that it shows: every call of a card's whole life at the demo issuer,
 * every status that can be provoked, and the three addresses of OAuth. All 47 APIs are called, and all are approved once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { ALL_SCOPES } from '../journey/examples.ts';
import { approved, dollars, issue, type Send } from '../sandbox/apis/issuing.ts';
import { wholeLife } from '../sandbox/apis/wholeLife.ts';
import { type Sandbox, startSandbox } from '../sandbox/support.ts';
import { API_PATHS, type ApiName } from '../support/apiPaths.ts';
import { type Answer, bodyOf, call, get, newTranId, post } from '../support/client.ts';
import { clientOf, newToken } from '../support/gatewayConfig.ts';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { DOCUMENT, faults } from './validator.ts';

const OTHER_TOKEN = newToken();

let sandbox: Sandbox;
let gateway: Gateway;
let origin: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  gateway = await startGateway({
    issuerUrl: `${sandbox.url}/card-api`,
    client: { scopes: ALL_SCOPES },
    issuer: { credentials: { bearer: sandbox.credentials.issuerToken.reveal() } },
    change: config => config.clients.push(clientOf('other-client', OTHER_TOKEN)),
  });
  origin = new URL(gateway.url).origin;
});
afterAll(async () => {
  await gateway?.kill9();
  await sandbox?.close();
});

const nameAt = (path: string): string => APIS.find(row => row.path === path)?.name ?? '';
const pathOf = (api: ApiName): string => API_PATHS[api];

/** The shared responses by their statuses. */
const SHARED: Readonly<Record<number, string>> = {
  307: 'StandingBy',
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NoSuchApi',
};

/** What of the answer is not as the document says for its status. */
function faultsOf(api: ApiName, { status, headers, body }: Answer): readonly string[] {
  const untold = ['timestamp', 'x-request-id'].filter(name => headers[name] === undefined);
  const shared = ['components', 'responses', SHARED[status] ?? '', 'content', 'application/json', 'schema'];
  const schema = status === 200 ? ['components', 'schemas', `${nameAt(pathOf(api))}Response`] : shared;
  return [...untold, ...faults(body, ...schema)];
}

const seen = new Map<string, Set<string>>();

/** Sends a call whose message and answer both have to be as the document says. */
const send: Send = async (api, fields, tranId = newTranId()) => {
  const name = nameAt(pathOf(api));
  expect([api, faults(bodyOf(gateway, fields, tranId), 'components', 'schemas', `${name}Request`)]).toEqual([api, []]);
  const answer = await call(gateway, api, fields, { tranId });
  expect([api, answer.status, faultsOf(api, answer)]).toEqual([api, 200, []]);
  const responseCode = String(answer.body.responseCode);
  seen.set(api, (seen.get(api) ?? new Set()).add(responseCode));
  return { ...answer.body, responseCode };
};

/** The calls about money that no chapter of the card's life has. */
async function moveMoney(): Promise<void> {
  const { cardToken } = await issue(send);
  const { cardToken: toCardToken } = await issue(send);
  const ten = { cardToken, ...dollars('10.00') };
  const buy = async (api: ApiName): Promise<string> => {
    const tranId = newTranId();
    expect(await send(api, ten, tranId)).toMatchObject({ responseCode: '00' });
    return tranId;
  };
  await approved(send, 'Refund', { ...ten, originalTranId: await buy('Purchase') });
  await approved(send, 'Reversal', { ...ten, originalTranId: await buy('Purchase') });
  await approved(send, 'UnblockFund', { cardToken, originalTranId: await buy('BlockFund') });
  await approved(send, 'TransferFund', { ...ten, toCardToken });
  await approved(send, 'ServiceCharge', ten);
  await approved(send, 'DebitAdjustment', { ...ten, memo: 'corrected' });
  await approved(send, 'CreditAdjustment', { ...ten, memo: 'corrected' });
  await approved(send, 'Verification', { cardToken });
  await approved(send, 'AuthorizationHistory', { cardToken });
  await approved(send, 'BlacklistUpdate', { cardToken, listFlag: 'W', linkFlag: 'L' });
}

describe('the answers of the demo issuer through a gateway', () => {
  it('are as the document says, for all 47 APIs', { timeout: 120_000 }, async () => {
    await wholeLife({
      send,
      control: async (method, what, body) => (await sandbox.control(method, `/_sandbox/${what}`, body)).body,
    });
    await moveMoney();
    expect(seen.size).toBe(47);
    const never = [...seen].filter(([, codes]) => !codes.has('00')).map(([api]) => api);
    expect(never).toEqual([]);
  });
});

describe('a gateway answers as its document says', () => {
  it('and shows that document, without asking who wants it', async () => {
    const { status, body } = await get(`${origin}/openapi.json`);
    expect(status).toBe(200);
    expect(body).toEqual(DOCUMENT);
    expect((await get(`${origin}/docs`)).status).toBe(200);
  });

  it.each<readonly [number, Parameters<typeof call>[2], Parameters<typeof call>[3]]>([
    [400, { tranAmount: 1 }, {}],
    [401, {}, { headers: { authorization: undefined } }],
    [403, {}, { token: 'unknown' }],
  ])('with %i', async (status, fields, options) => {
    const answer = await call(gateway, 'Purchase', fields, options);
    expect([answer.status, faultsOf('Purchase', answer)]).toEqual([status, []]);
  });

  it('with 400 that names no field, where the tranId is of another client', async () => {
    const fields = { cardToken: 'card', ...dollars('1.00') };
    const { tranId } = await call(gateway, 'Purchase', fields);
    const answer = await call(gateway, 'Purchase', fields, { tranId, token: OTHER_TOKEN });
    expect(answer.body).toMatchObject({ responseCode: '94', errors: [] });
    expect([answer.status, faultsOf('Purchase', answer)]).toEqual([400, []]);
  });

  it('with 404', async () => {
    const answer = await post(`${gateway.url}/tranmgr/nothing`, '{}');
    expect(answer.status).toBe(404);
    expect(
      faults(answer.body, 'components', 'responses', 'NoSuchApi', 'content', 'application/json', 'schema'),
    ).toEqual([]);
  });

  it('at the addresses of OAuth', async () => {
    const metadata = await get(`${origin}/.well-known/oauth-authorization-server`);
    expect(faults(metadata.body, 'components', 'schemas', 'ServerMetadata')).toEqual([]);
    const keys = await get(`${origin}/oauth2/jwks`);
    expect(faults(keys.body, 'components', 'schemas', 'JwkSet')).toEqual([]);
    const refused = await post(`${origin}/oauth2/token`, '{}');
    expect(faults(refused.body, 'components', 'schemas', 'TokenError')).toEqual([]);
  });
});

describe('a gateway whose description is switched off', () => {
  it.each([
    [{ openapi: false }, 404, 404],
    [{ docs: false }, 200, 404],
  ])('does not have it: %j', async (server, openapi, docs) => {
    const other = await startGateway({ issuerUrl: `${sandbox.url}/card-api`, server });
    const root = new URL(other.url).origin;
    const statuses = await Promise.all(['/openapi.json', '/docs', '/docs/'].map(path => get(root + path)));
    expect(statuses.map(({ status }) => status)).toEqual([openapi, docs, docs]);
    await other.kill9();
  });
});

describe('a gateway that stands by', () => {
  it('answers 307, as its document says', async () => {
    const location = 'https://other.example';
    const headers = { 'content-type': 'application/json' };
    const set = await post(`${gateway.adminUrl}/admin/standby`, JSON.stringify({ location }), { headers });
    expect(set.status).toBe(204);
    const answer = await call(gateway, 'Purchase', { cardToken: 'card', ...dollars('1.00') });
    expect([answer.status, faultsOf('Purchase', answer)]).toEqual([307, []]);
    expect(answer.headers.location).toBe(`${location}/card-api/tranmgr/purchase`);
  });
});
