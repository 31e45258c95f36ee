/**
 * The client against real gateways: every API of the catalogue, a doubt that it waits out, and two sites of which one stands
 * by for the other, with either way in.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import {
  type ApiName,
  type Client,
  type ClientOptions,
  createClient,
  type Fetch,
  type Message,
} from '../../src/client/client.ts';
import { ALL_SCOPES, exampleNamed } from '../journey/examples.ts';
import { PATIENT, Rig } from '../journey/rig.ts';
import { call, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { Party, rootOf } from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { PURCHASE } from './stage.ts';

const rig = new Rig();
const bank = new Party('bank');
let issuer: ScriptedIssuer;
let first: Gateway;
let second: Gateway;

const setting = {
  client: { scopes: ALL_SCOPES, budgetMs: 8000 },
  issuer: { timeoutMs: 4000, maxProcessingMs: 4000, breaker: { minimumCalls: 10_000 } },
};
const header = { participantId: '100000', tranBranch: '000001', tranChnl: '08' } as const;

beforeAll(async () => {
  issuer = await rig.issuer();
  first = await rig.gateway(issuer, { ...setting, change: config => void config.clients.push(bank.config()) });
  second = await rig.gateway(issuer, { ...setting, change: config => void config.clients.push(bank.config()) });
});
afterAll(() => rig.end());

const privateJwk = ({ privateKey, kid }: (typeof bank.signing)[number] | undefined = fail()) => ({
  ...privateKey.export({ format: 'jwk' }),
  kid,
});
function fail(): never {
  throw new Error('the party has no key');
}

const bearerClient = (sites: ClientOptions['sites'] = [first.url]): Promise<Client> =>
  createClient({ sites, header, bearer: first.token });
const oauthClient = (sites: ClientOptions['sites'], through: Fetch = fetch): Promise<Client> =>
  createClient({
    sites,
    header,
    fetch: through,
    oauth: {
      clientId: bank.id,
      signingKey: privateJwk(bank.signing[0]),
      decryptionKeys: bank.sealing.map(privateJwk),
    },
  });

/** An operator sends the callers of one gateway to another. */
async function standBy(gateway: Gateway, other: Gateway): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ location: rootOf(other) });
  expect((await post(`${gateway.adminUrl}/admin/standby`, body, { headers })).status).toBe(204);
}

describe('one gateway', () => {
  it('every API of the catalogue', PATIENT, async () => {
    const client = await bearerClient();
    const told: Record<string, string> = {};
    for (const { name, class: kind } of APIS) {
      const { api, fields, answer } = exampleNamed(name as string as ApiName);
      // Whether money moves is for the issuer's ledger to say, which does not know what the examples name.
      const isMoney = kind !== 'inquiry' && kind !== 'command';
      if (!isMoney) issuer.script(api, { kind: 'answer', fields: answer }, { times: 1 });
      const result = await client.call(api, fields as unknown as Message<ApiName>);
      told[name] = isMoney && result.kind === 'declined' ? 'approved' : result.kind;
    }
    expect(told).toEqual(Object.fromEntries(APIS.map(({ name }) => [name, 'approved'])));
  });

  it('a command whose outcome is unknown is sent again until it is known, and once only it has an effect', async () => {
    const { fields } = exampleNamed('CardCancellation');
    const tranId = 'cancelled-in-doubt';
    issuer.script('CardCancellation', { kind: 'resetAfterEffect' }, { tranId, times: 1 });
    const result = await (await bearerClient()).call('CardCancellation', {
      ...fields,
      tranId,
    } as unknown as Message<'CardCancellation'>);
    expect(result).toMatchObject({ kind: 'approved', tries: 2 });
    const sent = issuer.requestsOf('CardCancellation', result.tranId);
    expect(sent.map(({ headers }) => headers.repeat)).toEqual([undefined, 'true']);
  });
});

describe('a gateway that stands by for another', () => {
  let held: string;
  beforeAll(async () => {
    held = (await (await bearerClient()).call('Purchase', PURCHASE)).tranId;
    await standBy(first, second);
  });

  it('by bearer token: what is new goes to the other, what it holds is answered here', async () => {
    const client = await bearerClient([first.url, second.url]);
    const moved = await client.call('Purchase', PURCHASE);
    expect(moved).toMatchObject({ kind: 'approved', site: second.url, tries: 2 });
    expect((await call(second, 'Purchase', PURCHASE, { tranId: moved.tranId })).headers['idempotent-replayed']).toBe(
      'true',
    );
    const again = await client.call('Purchase', { ...PURCHASE, tranId: held });
    expect(again).toMatchObject({ kind: 'approved', replayed: true, site: first.url, tries: 1 });
  });

  it('by OAuth, encrypted: with a token of the other site', async () => {
    const client = await oauthClient([first.url, second.url]);
    const results = [
      await client.call('Purchase', PURCHASE),
      await client.call('BalanceInquiry', { cardToken: 'card-1' }),
    ];
    for (const result of results) expect(result).toMatchObject({ kind: 'approved', site: second.url, tries: 2 });
  });

  it('a site that was not named gets nothing', async () => {
    const result = await (await bearerClient()).call('Purchase', PURCHASE);
    expect(result).toMatchObject({
      kind: 'refused',
      status: 307,
      responseCode: '91',
      tries: 1,
      mayHaveHappened: false,
    });
    expect(result.kind === 'refused' && result.location).toBe(`${second.url}/tranmgr/purchase`);
  });

  it('by OAuth, where both call themselves the same: with the one token', PATIENT, async () => {
    const common = await rig.gateway(issuer, {
      ...setting,
      change: config => {
        config.oauth = { ...config.oauth, issuer: rootOf(first) };
        config.clients.push(bank.config());
      },
    });
    await standBy(first, common);
    const asked: string[] = [];
    const client = await oauthClient([first.url, { baseUrl: common.url, issuer: rootOf(first) }], (url, init) => {
      asked.push(new URL(url).origin + new URL(url).pathname.replace(/^\/card-api/, ''));
      return fetch(url, init);
    });
    const result = await client.call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'approved', site: common.url, tries: 2 });
    expect(asked).toEqual([
      `${rootOf(first)}/oauth2/token`,
      `${rootOf(first)}/oauth2/jwks`,
      `${rootOf(first)}/tranmgr/purchase`,
      `${rootOf(common)}/oauth2/jwks`,
      `${rootOf(common)}/tranmgr/purchase`,
    ]);
  });
});
