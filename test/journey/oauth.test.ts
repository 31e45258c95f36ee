/**
 * OAuth through the front door: clients that others wrote get tokens, tokens verify with others' code, and an encrypted
 * call goes all the way to the issuer and back.
 */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call, get, newTranId, rawRequest } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewayKey,
  grantForm,
  messageOf,
  Party,
  PURCHASE,
  postSealed,
  postToken,
  rootOf,
  type Sealed,
  sealedCall,
  sealFor,
  tokenOf,
} from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { tokenByHand } from './byHand.ts';
import { metric, Rig } from './rig.ts';

const rig = new Rig();
const bank = new Party('bank');
const shop = new Party('shop');
const far = new Party('far');
let issuer: ScriptedIssuer;
let gateway: Gateway;
/** The bank with a token, ready to call. */
let session: Sealed;

beforeAll(async () => {
  issuer = await rig.issuer();
  gateway = await rig.gateway(issuer, {
    change: config => {
      config.clients.push(
        bank.config(),
        shop.config({ payload: 'plain', scopes: ['Purchase', 'Refund'] }),
        far.config({ payload: 'plain', allowFrom: ['10.0.0.0/8'] }),
      );
    },
  });
  session = { gateway, party: bank, token: await tokenOf(gateway, bank), key: await gatewayKey(gateway) };
});
afterAll(() => rig.end());

const cryptoKeyOf = ({ signing: [key] }: Party) =>
  crypto.subtle.importKey(
    'jwk',
    { ...key?.privateKey.export({ format: 'jwk' }) },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  );

describe('clients that we did not write', () => {
  it('oauth4webapi discovers the server and gets a token', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true };
    const identifier = new URL(rootOf(gateway));
    const found = await oauth.discoveryRequest(identifier, { ...insecure, algorithm: 'oauth2' });
    const server = await oauth.processDiscoveryResponse(identifier, found);
    const client = { client_id: bank.id };
    const authentication = oauth.PrivateKeyJwt({ key: await cryptoKeyOf(bank), kid: bank.signing[0]?.kid ?? '' });
    const scope = { scope: 'Purchase' };
    const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, scope, insecure);
    const token = await oauth.processClientCredentialsResponse(server, client, response);
    expect(token).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'Purchase' });
    expect((await sealedCall({ ...session, token: token.access_token }, 'Purchase', PURCHASE)).status).toBe(200);
  });

  it('openid-client gets a token', async () => {
    const authentication = openid.PrivateKeyJwt({ key: await cryptoKeyOf(shop), kid: shop.signing[0]?.kid ?? '' });
    const config = await openid.discovery(new URL(rootOf(gateway)), shop.id, undefined, authentication, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    const tokens = await openid.clientCredentialsGrant(config, { scope: 'Refund' });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'Refund' });
    await expect(openid.clientCredentialsGrant(config, { scope: 'LoadFund' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  it('jose verifies a token with the keys that are published', async () => {
    const keys = createRemoteJWKSet(new URL(`${rootOf(gateway)}/oauth2/jwks`));
    const { payload } = await jwtVerify(session.token, keys, {
      issuer: rootOf(gateway),
      audience: rootOf(gateway),
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(payload).toMatchObject({ sub: 'bank', client_id: 'bank', scope: 'Transaction' });
  });
});

describe('an encrypted call', () => {
  it('is forwarded once, and its answer is sealed for the client', async () => {
    const answer = await sealedCall(session, 'Purchase', PURCHASE);
    expect(answer).toMatchObject({ status: 200, contentType: 'application/jose', body: { responseCode: '00' } });
    expect(answer.body.tranId).toBe(answer.tranId);
    expect(issuer.requestsOf('Purchase', answer.tranId)).toHaveLength(1);
  });

  it('S86 F5: the very same bytes again are the same answer, sealed afresh, and nothing more', async () => {
    const tranId = newTranId();
    const body = await sealFor(session.key, messageOf(gateway, PURCHASE, tranId));
    const first = await postSealed(gateway, 'Purchase', session.token, body);
    const again = await postSealed(gateway, 'Purchase', session.token, body);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.text).not.toBe(first.text);
    expect(await bank.open(again.text)).toBe(await bank.open(first.text));
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
  });

  it('is answered plain where it is not answered with 200', async () => {
    const answer = await sealedCall(session, 'Purchase', { ...PURCHASE, tranAmount: 'much' });
    expect(answer).toMatchObject({ status: 400, contentType: 'application/json', body: { responseCode: '13' } });
  });

  it('a decline, and a call that is still under way, are sealed as well', async () => {
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId, times: 1 });
    const answer = await sealedCall(session, 'Purchase', PURCHASE, { tranId });
    expect(answer.contentType).toBe('application/jose');
    expect(answer.body.responseCode).toBe('68');
    issuer.release();
  });
});

describe('the addresses of OAuth', () => {
  it('are at the root, by one method each', async () => {
    for (const [method, path, status] of [
      ['GET', '/oauth2/token', 404],
      ['PUT', '/oauth2/token', 404],
      ['POST', '/oauth2/jwks', 404],
      ['HEAD', '/oauth2/jwks', 404],
      ['GET', '/oauth2/jwks', 200],
      ['GET', '/.well-known/oauth-authorization-server', 200],
      ['GET', '/card-api/oauth2/jwks', 404],
      ['GET', '/oauth2/jwks/', 404],
    ] as const) {
      const request = `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      const answer = await rawRequest(gateway.port, request, { until: 'close' });
      expect([method, path, answer.status]).toEqual([method, path, status]);
    }
  });

  it('S60: no answer of the token endpoint may be kept, and each has its line and its number', async () => {
    const good = await postToken(gateway, grantForm(await bank.assertion(rootOf(gateway))));
    const bad = await postToken(gateway, grantForm('no.assertion.here'));
    expect([good.status, bad.status, bad.body.error]).toEqual([200, 401, 'invalid_client']);
    for (const { headers } of [good, bad]) expect(headers['cache-control']).toBe('no-store');
    const lineOf = ({ headers }: Answer) =>
      waitFor('its line', () => gateway.logLines().find(line => line.requestId === headers['x-request-id']));
    expect(await lineOf(good)).toMatchObject({ event: 'oauth', clientId: 'bank', result: 'issued' });
    expect(await lineOf(bad)).toMatchObject({ result: 'assertion.form', status: 401 });
    const counted = await metric(gateway, 'gateway_oauth_requests_total', { result: 'assertion.form' });
    expect(counted).toBeGreaterThan(0);
    expect(gateway.log()).not.toContain(String(good.body.access_token));
  });
});

describe('who may do what', () => {
  it('S36: a token does what was asked for, though the client may do more; and no more than the client may', async () => {
    const narrow = await tokenOf(gateway, shop, { scope: 'Refund' });
    const answer = await call(gateway, 'Purchase', PURCHASE, { token: narrow });
    expect(answer).toMatchObject({ status: 403, body: { responseCode: '10' } });
    const wide = await tokenOf(gateway, shop);
    expect((await call(gateway, 'Purchase', PURCHASE, { token: wide })).body.responseCode).toBe('00');
    expect((await call(gateway, 'LoadFund', PURCHASE, { token: wide })).status).toBe(403);
  });

  it('S13: an address counts for tokens of ours, too, and where they are asked for', async () => {
    const answer = await postToken(gateway, grantForm(await far.assertion(rootOf(gateway))));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect((await call(gateway, 'Purchase', PURCHASE, { token: tokenByHand(gateway, 'far') })).status).toBe(403);
  });
});

describe('without OAuth in the configuration', () => {
  it('there is none of it', async test => {
    const own = new Rig(test);
    const plain = await own.gateway(issuer, {
      change: config => {
        delete config.oauth;
      },
    });
    const paths = ['/oauth2/jwks', '/.well-known/oauth-authorization-server'];
    for (const path of paths) expect((await get(`${rootOf(plain)}${path}`)).status).toBe(404);
    expect((await postToken(plain, grantForm('a.b.c'))).status).toBe(404);
    const answer = await call(plain, 'Purchase', PURCHASE, { token: session.token });
    expect(answer).toMatchObject({ status: 401, body: { responseCode: '10' } });
  });
});
