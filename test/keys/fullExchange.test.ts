/**
 * The whole way of a new partner, with certificates of a private authority on both sides: keys, requests, certificates,
 * configuration, a token, an encrypted Purchase. The partner's side knows only what it was given as certificates.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { calculateJwkThumbprint, type JWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../src/client/client.ts';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import { type Authority, EC, newKey, newRoot, OPENSSL, openssl, RSA, request } from './openssl.ts';
import { desk } from './support.ts';

const REASON = 'NOT RUN: there is no OpenSSL 3 on this machine (apt-get install openssl)';
const ID = 'demo-bank';

/** The partner's keys, as it has them: made with openssl, turned into JWKs for its own program. */
async function partnerKey(pemFile: string): Promise<JWK> {
  const jwk: JWK = createPrivateKey(readFileSync(pemFile, 'utf8')).export({ format: 'jwk' });
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}

describe.skipIf(OPENSSL === undefined)(`a new partner, by certificates of ${OPENSSL ?? REASON}`, () => {
  const ours = desk();
  const partner = desk();
  let root: Authority;
  let between: Authority;
  let issuer: ScriptedIssuer;
  let gateway: Gateway;
  let keys: { readonly signing: JWK; readonly opening: JWK };
  /** What the partner's program sent: where to, the token, the media type of body and answer. */
  const sent: { readonly url: string; readonly token: string; readonly types: readonly (string | null)[] }[] = [];

  /** Certificates of our keys, as the authority gives them back for our requests. */
  const certify = async (name: string): Promise<string> => {
    await ours.keys('csr', `@${name}.json`, '--subject', 'CN=gateway,O=Processor', '--out', `@${name}.csr`);
    return partner.write(`gateway-${name}.pem`, between.issue(ours.path(`${name}.csr`)));
  };

  beforeAll(async () => {
    root = newRoot();
    between = root.below();
    await ours.keys('ec', '@ec.json');
    await ours.keys('rsa', '@rsa.json');
    await certify('ec');
    await certify('rsa');

    const [ecKey, rsaKey] = [newKey(EC), newKey(RSA)];
    keys = { signing: await partnerKey(ecKey), opening: await partnerKey(rsaKey) };
    const certificateFiles = [ecKey, rsaKey].map((key, index) =>
      ours.write(`bank-${index}.pem`, between.issue(request(key)) + between.chainPem),
    );

    issuer = await startScriptedIssuer();
    gateway = await startGateway({
      issuerUrl: issuer.baseUrl,
      change: config => {
        config.oauth = {
          ...config.oauth,
          signingKeyFiles: [ours.path('ec.json')],
          decryptionKeyFiles: [ours.path('rsa.json')],
        };
        config.clients.push({
          id: ID,
          participants: ['100000'],
          product: 'prepaid',
          scopes: ['Transaction'],
          oauth: { certificateFiles, caFile: root.certFile },
          payload: 'encrypted',
        });
      },
    });
  });
  afterAll(async () => {
    await gateway?.kill9();
    await issuer?.stop();
  });

  const address = (): string => `http://127.0.0.1:${gateway.port}`;

  /** The partner's program: it knows our address, its own keys, and our RSA key by our certificate. */
  const programOf = async (signingKey: JWK): Promise<Client> => {
    const jwk: JWK = new X509Certificate(partner.read('gateway-rsa.pem')).publicKey.export({ format: 'jwk' });
    const payloadKey = { ...jwk, kid: await calculateJwkThumbprint(jwk) };
    return createClient({
      sites: [{ baseUrl: gateway.url, payloadKey }],
      header: { participantId: '100000', tranBranch: '000001', tranChnl: '08' },
      oauth: { clientId: ID, scope: 'Purchase', signingKey, decryptionKeys: keys.opening },
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        const headers = new Headers(init.headers);
        const token = headers.get('authorization')?.replace('Bearer ', '') ?? '';
        sent.push({ url, token, types: [headers.get('content-type'), response.headers.get('content-type')] });
        return response;
      },
    });
  };
  const PURCHASE = { cardToken: 'card-1', tranAmount: '12.50', tranCurrency: '840' };

  it('our certificates lead to the authority that the partner trusts', () => {
    const chain = partner.write('chain.pem', between.chainPem);
    for (const file of ['gateway-ec.pem', 'gateway-rsa.pem']) {
      const verified = openssl(
        'verify',
        '-x509_strict',
        '-CAfile',
        root.certFile,
        '-untrusted',
        chain,
        partner.path(file),
      );
      expect(verified).toContain('OK');
    }
  });

  it('an encrypted Purchase reaches the issuer once, and its answer comes back sealed for the partner', async () => {
    const program = await programOf(keys.signing);
    const first = await program.call('Purchase', PURCHASE);
    const second = await program.call('Purchase', { ...PURCHASE, tranId: first.tranId });
    for (const result of [first, second]) {
      expect(result).toMatchObject({ kind: 'approved', answer: { tranId: first.tranId, tranAmount: '12.50' } });
    }
    expect([first, second].map(result => 'replayed' in result && result.replayed)).toEqual([false, true]);
    expect(issuer.requestsOf('Purchase', first.tranId).length).toBe(1);
    expect(issuer.balanceOf('card-1')).toBe('987.50');
    // Our key came with the certificate: only the token was asked for.
    expect(sent.map(({ url }) => new URL(url).pathname.split('/').at(-1))).toEqual(['token', 'purchase', 'purchase']);
    expect(sent.slice(1).flatMap(({ types }) => types)).toEqual(Array(4).fill('application/jose'));
  });

  it('the token is signed by the key of our certificate', async () => {
    const { publicKey } = new X509Certificate(partner.read('gateway-ec.pem'));
    const { payload } = await jwtVerify(sent.at(-1)?.token ?? '', publicKey, {
      algorithms: ['ES256'],
      issuer: address(),
      audience: address(),
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ sub: ID, client_id: ID, scope: 'Purchase' });
  });

  it('S85 another partner of the same authority cannot be this one', async () => {
    const stranger = await programOf(await partnerKey(newKey(EC)));
    const result = await stranger.call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', at: 'token', code: 'invalid_client', mayHaveHappened: false });
    expect(issuer.requestsOf('Purchase', result.tranId).length).toBe(0);
  });
});
