/**
 * The whole way of a new partner, with certificates of a private authority on both sides: keys, requests, certificates,
 * configuration, a token, an encrypted Purchase. The partner's side knows only what it was given as certificates.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { calculateJwkThumbprint, type JWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { exchange, isEnvelope } from '../../src/sandbox/exchange.ts';
import {
  makeAssertion,
  type OauthClient,
  openAnswer,
  requestToken,
  sealFor,
  tokenIn,
} from '../../src/sandbox/oauthClient.ts';
import { bodyOf, newTranId } from '../support/client.ts';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import { type Authority, EC, newKey, newRoot, OPENSSL, openssl, RSA, request } from './openssl.ts';
import { type Desk, desk } from './support.ts';

const REASON = 'NOT RUN: there is no OpenSSL 3 on this machine (apt-get install openssl)';
const ID = 'demo-bank';

/** The partner's keys, as it has them: made with openssl, turned into JWKs for its own program. */
async function partnerKey(on: Desk, name: string, pemFile: string): Promise<string> {
  const jwk: JWK = createPrivateKey(readFileSync(pemFile, 'utf8')).export({ format: 'jwk' });
  return on.write(name, { ...jwk, kid: await calculateJwkThumbprint(jwk) });
}

describe.skipIf(OPENSSL === undefined)(`a new partner, by certificates of ${OPENSSL ?? REASON}`, () => {
  const ours = desk();
  const partner = desk();
  let root: Authority;
  let between: Authority;
  let issuer: ScriptedIssuer;
  let gateway: Gateway;
  let client: OauthClient;

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
    const signingKeyFile = await partnerKey(partner, 'ec.json', ecKey);
    const decryptionKeyFile = await partnerKey(partner, 'rsa.json', rsaKey);
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
    const address = `http://127.0.0.1:${gateway.port}`;
    client = {
      clientId: ID,
      issuer: address,
      tokenEndpoint: new URL('/oauth2/token', address),
      scope: 'Purchase',
      signingKeyFile,
      decryptionKeyFile,
    };
  });
  afterAll(async () => {
    await gateway?.kill9();
    await issuer?.stop();
  });

  const token = async (): Promise<Secret<string>> => {
    const answer = await requestToken(client, await makeAssertion(client, systemClock, systemRandom), systemClock);
    const given = tokenIn(answer);
    if (!given) throw new Error(`no token: ${answer.status} ${answer.text}`);
    return given;
  };

  const gatewayKey = async () => {
    const jwk: JWK = new X509Certificate(partner.read('gateway-rsa.pem')).publicKey.export({ format: 'jwk' });
    return { kid: await calculateJwkThumbprint(jwk), jwk };
  };

  const purchase = async (bearer: Secret<string>, jwe: string, tranId: string) =>
    exchange(
      {
        url: new URL(`${gateway.url}/tranmgr/purchase`),
        token: bearer,
        tokenShown: '',
        tranId,
        timestamp: String(Date.now()),
        body: new Secret({}),
        jwe,
      },
      systemClock,
    );

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

  it('the token is signed by the key of our certificate', async () => {
    const { publicKey } = new X509Certificate(partner.read('gateway-ec.pem'));
    const { payload } = await jwtVerify((await token()).reveal(), publicKey, {
      algorithms: ['ES256'],
      issuer: client.issuer,
      audience: client.issuer,
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ sub: ID, client_id: ID, scope: 'Purchase' });
  });

  it('an encrypted Purchase reaches the issuer once, and its answer comes back sealed for the partner', async () => {
    const tranId = newTranId();
    const fields = { cardToken: 'card-1', tranAmount: '12.50', tranCurrency: '840' };
    const message = JSON.stringify(bodyOf({ url: gateway.url, token: '', participantId: '100000' }, fields, tranId));
    const bearer = await token();
    const jwe = await sealFor(await gatewayKey(), message);
    const answers = [await purchase(bearer, jwe, tranId), await purchase(bearer, jwe, tranId)];
    for (const answer of answers) {
      expect([answer.status, isEnvelope(answer)]).toEqual([200, true]);
      const opened: unknown = JSON.parse((await openAnswer(client, answer.text)) ?? 'null');
      expect(opened).toMatchObject({ tranId, responseCode: '00', tranAmount: '12.50' });
    }
    expect(answers[1]?.headers['idempotent-replayed']).toBe('true');
    expect(issuer.requestsOf('Purchase', tranId).length).toBe(1);
    expect(issuer.balanceOf('card-1')).toBe('987.50');
  });

  it('S85 another partner of the same authority cannot be this one', async () => {
    const stranger = await partnerKey(partner, 'stranger.json', newKey(EC));
    const assertion = await makeAssertion({ ...client, signingKeyFile: stranger }, systemClock, systemRandom);
    const answer = await requestToken(client, assertion, systemClock);
    expect([answer.status, tokenIn(answer)]).toEqual([401, undefined]);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'invalid_client' });
  });
});
