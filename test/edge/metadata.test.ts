/**
 * The documents that we publish: nothing in them that we do not do, and nothing private.
 */
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { jwksDocument, serverMetadata } from '../../src/edge/metadata.ts';
import { ecPair, ISSUER, jwk, openingKeyOf, rsaPair, signingKeyOf } from './oauthKit.ts';

describe('server metadata', () => {
  it('says what RFC 8414 asks for, and nothing that we do not do', () => {
    const offered = APIS.filter(row => !row.retired);
    expect(serverMetadata(ISSUER)).toEqual({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/oauth2/token`,
      jwks_uri: `${ISSUER}/oauth2/jwks`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES256'],
      scopes_supported: [...new Set(APIS.map(row => row.module)), ...offered.map(row => row.name)],
    });
  });

  it('keeps the identifier to the letter, and writes one slash behind it', () => {
    const { issuer, token_endpoint: endpoint } = serverMetadata('https://gateway.example/');
    expect(issuer).toBe('https://gateway.example/');
    expect(endpoint).toBe('https://gateway.example/oauth2/token');
  });

  it('scopes are told apart: no API has the name of a module', () => {
    const { scopes_supported: scopes = [] } = serverMetadata(ISSUER);
    expect(new Set(scopes).size).toBe(scopes.length);
  });
});

describe('our JWK Set', () => {
  it('has every key that verifies, the current one to seal for, and nothing private', async () => {
    const pairs = [ecPair(), ecPair()];
    const rsa = [rsaPair(), rsaPair()];
    const signing = await Promise.all(pairs.map(pair => signingKeyOf(pair)));
    const opening = await Promise.all(rsa.map(pair => openingKeyOf(pair)));
    const { keys } = jwksDocument(signing, opening);
    expect(keys.map(key => key.kid)).toEqual([...signing, ...opening.slice(0, 1)].map(key => key.kid));
    const text = JSON.stringify(keys);
    for (const key of [...pairs, ...rsa]) expect(text).not.toContain(String(jwk(key.privateKey).d));
    for (const key of keys)
      expect(Object.keys(key).sort()).toEqual(
        Object.keys(key)
          .sort()
          .filter(name => /^(kty|crv|x|y|n|e|kid|use|alg)$/.test(name)),
      );
  });

  it('is empty where there are no keys', () => {
    expect(jwksDocument([], [])).toEqual({ keys: [] });
  });
});
