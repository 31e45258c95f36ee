/** A configuration with keys and certificates: what it carries once it is loaded, and that none of it prints. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { jwksOf } from '../issuer/keys.ts';
import { CA, FILES, KEYS, keySampleWith, MTLS_PAIR, TLS_PAIR } from './oauthSample.ts';
import { type Change, load, loadGood, sampleWith } from './sample.ts';

const loadKeys = (...changes: readonly Change[]) => loadGood(keySampleWith(...changes), {}, FILES);
const jwk = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
const THUMBPRINT = /^[\w-]{43}$/;

describe('keys in a valid configuration', () => {
  test('are read, proved and imported, without a warning', async () => {
    const { config, warnings } = await loadKeys();
    expect(warnings).toEqual([]);
    expect(config.oauth).toMatchObject({ issuer: 'https://gateway.example', accessTokenMinutes: 60 });
    expect(config.oauth?.signingKeys[0].publicJwk.x).toBe(jwk(KEYS.token).x);
    expect(config.oauth?.decryptionKeys[0].publicJwk.n).toBe(jwk(KEYS.payload).n);
    expect(config.server.tls).toMatchObject({ cert: TLS_PAIR.cert, clientCa: CA.cert });
    expect(config.server.tls?.key.reveal()).toBe(TLS_PAIR.key);
  });

  test('of clients: by JWKS and by certificates, encrypted unless they say otherwise', async () => {
    const { config } = await loadKeys();
    const [wallet, acquirer] = config.clients;
    expect([wallet?.payload, acquirer?.payload]).toEqual(['encrypted', 'encrypted']);
    for (const client of [wallet, acquirer]) {
      if (client?.access.kind !== 'oauth') throw new Error('not an OAuth client');
      const { verification, encryption, thumbprints } = client.access.keys;
      expect(verification.size).toBe(1);
      expect(encryption?.kid).toMatch(THUMBPRINT);
      expect(thumbprints).toHaveLength(2);
    }
    const plain = await loadKeys(['keysFile: wallet.jwks.json', 'keysFile: wallet.jwks.json\n    payload: plain']);
    expect(plain.config.clients[0]?.payload).toBe('plain');
  });

  test('of an issuer: our key for its assertions, its key and ours for payloads, both sides of mutual TLS', async () => {
    const { config } = await loadKeys();
    const [bank, ledger] = config.issuers;
    expect(bank?.credentials).toMatchObject({
      kind: 'oauth',
      tokenEndpoint: 'https://auth.bank.example/token',
      issuer: 'https://auth.bank.example/',
      clientId: 'our gateway',
      scope: 'Purchase Reversal',
      signingKey: { publicJwk: { x: jwk(KEYS.token2).x } },
    });
    expect(bank?.payload).toMatchObject({
      kind: 'encrypted',
      to: { kid: expect.stringMatching(THUMBPRINT) },
      toThumbprint: expect.stringMatching(THUMBPRINT),
      openWith: [{ publicJwk: { n: jwk(KEYS.payload2).n } }],
    });
    expect(bank?.tls).toMatchObject({ cert: MTLS_PAIR.cert, ca: CA.cert });
    expect(bank?.tls?.key?.reveal()).toBe(MTLS_PAIR.key);
    expect(ledger).toMatchObject({ payload: { kind: 'plain' }, tls: undefined });
  });

  test('an authority may be pinned without showing a certificate', async () => {
    const { config } = await loadKeys(['      certFile: mtls.pem\n      keyFile: mtls.key\n', '']);
    expect(config.issuers[0]?.tls).toEqual({ cert: undefined, key: undefined, ca: CA.cert });
  });

  test('several of ours: the first is the current one', async () => {
    const { config } = await loadKeys(
      ['    - token.jwk.json', '    - token.jwk.json\n    - us.jwk.json'],
      ['    - payload.jwk.json', '    - ours.jwk.json\n    - payload.jwk.json'],
    );
    expect(config.oauth?.signingKeys.map(key => key.publicJwk.x)).toEqual([jwk(KEYS.token).x, jwk(KEYS.token2).x]);
    expect(config.oauth?.decryptionKeys[0].publicJwk.n).toBe(jwk(KEYS.payload2).n);
  });

  test('another key of the same name is another configuration: the issuer’s key tells it apart', async () => {
    const payloadOf = async (text: string) => {
      const files = { ...FILES, 'bank.jwks.json': jwksOf(JSON.stringify({ ...jwk(text), kid: 'enc' })) };
      const { config } = await loadGood(keySampleWith(), {}, files);
      const payload = config.issuers[0]?.payload;
      return payload?.kind === 'encrypted' ? payload : undefined;
    };
    const [one, other] = [await payloadOf(KEYS.issuerRsa), await payloadOf(KEYS.clientRsa)];
    expect([one?.to.kid, other?.to.kid]).toEqual(['enc', 'enc']);
    expect(one?.toThumbprint).not.toBe(other?.toThumbprint);
  });

  test('a bearer client alone needs none of it, and a configuration without keys has nothing that expires', async () => {
    const { config } = await loadGood(sampleWith());
    expect(config.oauth).toBeUndefined();
    expect(config.expiries).toEqual([]);
  });

  test('I14: no private part of any key is in what prints', async () => {
    const result = await load(keySampleWith(), {}, FILES);
    const printed = `${inspect(result, { depth: 20, showHidden: true })}${JSON.stringify(result)}`;
    expect(printed).toContain('https://gateway.example');
    for (const text of Object.values(KEYS)) expect(printed).not.toContain(jwk(text).d);
    for (const { key } of [TLS_PAIR, MTLS_PAIR]) expect(printed).not.toContain(key.split('\n')[1]);
  });
});
