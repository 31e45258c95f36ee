/**
 * Clients that we did not write get tokens: oauth4webapi and openid-client, from discovery on, over the pure handlers.
 */
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { jwksDocument, OAUTH_PATHS, serverMetadata } from '../../src/edge/metadata.ts';
import { createTokenEndpoint } from '../../src/edge/tokenEndpoint.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import {
  clientOf,
  ecPair,
  ISSUER,
  jwk,
  keySet,
  memoryOnce,
  NOTHING_REVOKED,
  openingKeyOf,
  rsaPair,
  signingKeyOf,
} from './oauthKit.ts';

const CLIENT_PAIR = ecPair();
const KEYS = await keySet(jwk(CLIENT_PAIR.publicKey, { kid: 'c1' }));
const SIGNING = await signingKeyOf(ecPair(), { kid: 'as' });
const OPENING = await openingKeyOf(rsaPair());
const PRIVATE = await crypto.subtle.importKey(
  'jwk',
  CLIENT_PAIR.privateKey.export({ format: 'jwk' }),
  { name: 'ECDSA', namedCurve: 'P-256' },
  false,
  ['sign'],
);

type Fetch = (
  url: string,
  init: { readonly method?: string; readonly headers?: unknown; readonly body?: unknown },
) => Promise<Response>;

let gateway: Fetch;

beforeEach(() => {
  const client = clientOf('bank', KEYS, ['Purchase', 'Refund']);
  const endpoint = createTokenEndpoint({
    issuer: ISSUER,
    accessTokenMinutes: 60,
    signingKeys: () => [SIGNING],
    clientOf: id => (id === client.id ? client : undefined),
    revocations: NOTHING_REVOKED,
    once: memoryOnce(),
    clock: systemClock,
    random: systemRandom,
  });
  gateway = async (url, { method = 'GET', headers, body }) => {
    const { pathname, search } = new URL(url);
    if (pathname === OAUTH_PATHS.metadata) return Response.json(serverMetadata(ISSUER));
    if (pathname === OAUTH_PATHS.jwks) return Response.json(jwksDocument([SIGNING], [OPENING]));
    if (pathname !== OAUTH_PATHS.token) return new Response(null, { status: 404 });
    const sent = new Headers(headers as Record<string, string>);
    const answer = await endpoint({
      method,
      caller: 'peer',
      contentType: sent.get('content-type') ?? undefined,
      rawQuery: search.slice(1),
      body: new TextEncoder().encode(String(body)),
      headers: Object.fromEntries(sent),
    });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
});

describe('clients that we did not write', () => {
  it('oauth4webapi gets a token, and learns what is wrong', async () => {
    const options = { [oauth.customFetch]: (url: string, init: object) => gateway(url, init) };
    const issuer = new URL(ISSUER);
    const found = await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' });
    const server = await oauth.processDiscoveryResponse(issuer, found);
    const client = { client_id: 'bank' };
    const ask = async (scope: string, kid: string) => {
      const authentication = oauth.PrivateKeyJwt({ key: PRIVATE, kid });
      const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope }, options);
      return oauth.processClientCredentialsResponse(server, client, response);
    };
    expect(await ask('Purchase', 'c1')).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'Purchase' });
    await expect(ask('LoadFund', 'c1')).rejects.toMatchObject({ error: 'invalid_scope', status: 400 });
    await expect(ask('Purchase', 'c2')).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
  });

  it('openid-client gets a token, and learns what is wrong', async () => {
    const config = await openid.discovery(
      new URL(ISSUER),
      'bank',
      undefined,
      openid.PrivateKeyJwt({ key: PRIVATE, kid: 'c1' }),
      {
        algorithm: 'oauth2',
        [openid.customFetch]: (url: string, init: object) => gateway(url, init),
      },
    );
    const tokens = await openid.clientCredentialsGrant(config, { scope: 'Purchase Refund' });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'Purchase Refund' });
    await expect(openid.clientCredentialsGrant(config, { scope: 'LoadFund' })).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });
});
