/** What a client may be made with: everything else is refused at once, by the name of the option, with nothing of a key. */
import { describe, expect, it } from 'vitest';
import { type ClientOptions, createClient } from '../../src/client/client.ts';
import { sealingPair, signingPair } from '../support/oauth.ts';

const GOOD = {
  sites: ['https://cards.example/card-api/'],
  header: { participantId: '100000', tranBranch: '000001', tranChnl: '08' },
  bearer: 'opaque',
} as const;

const [ec, rsa] = [signingPair(), sealingPair()];
const privateJwk = ({ privateKey, kid }: typeof ec) => ({ ...privateKey.export({ format: 'jwk' }), kid });
const oauth = { clientId: 'bank', signingKey: privateJwk(ec), decryptionKeys: [privateJwk(rsa)] };
const { bearer: _, ...withoutBearer } = GOOD;

const make = (changes: object, from: object = GOOD) => createClient({ ...from, ...changes } as ClientOptions);

describe('options', () => {
  it('that are right, in both ways in', async () => {
    await make({});
    await make({ oauth }, withoutBearer);
    await make({ oauth: { ...oauth, decryptionKeys: privateJwk(rsa) } }, withoutBearer);
    for (const site of ['http://127.0.0.1:8080/x', 'http://[::1]/x', 'http://localhost']) await make({ sites: [site] });
    await make({ sites: ['http://cards.example'], dangerouslyAllowPlaintext: true });
  });

  it.each<[string, object]>([
    ['sites must be', { sites: [] }],
    ['sites must be', { sites: 'https://a.example' }],
    ['sites must be', { sites: Array(9).fill('https://a.example') }],
    ['sites[0].baseUrl must be an http or https URL', { sites: ['nonsense'] }],
    ['sites[0].baseUrl must be an http or https URL', { sites: ['ftp://a.example'] }],
    ['sites[0].baseUrl must have no query', { sites: ['https://a.example/?a=b'] }],
    ['sites[0].baseUrl must have no user', { sites: ['https://secret:secret@a.example'] }],
    ['sites[1].baseUrl must begin with https', { sites: ['https://a.example', 'http://b.example'] }],
    [
      'sites[0].tokenEndpoint must begin',
      { sites: [{ baseUrl: 'https://a.example', tokenEndpoint: 'http://b.example' }] },
    ],
    ['header.participantId is required', { header: { tranBranch: '1', tranChnl: '08' } }],
    ['header.participantId is required', { header: undefined }],
    ['header.tranChnl is required', { header: { participantId: '1', tranBranch: '1', tranChnl: '' } }],
    ['timeoutMs must be a whole number from 1', { timeoutMs: 0 }],
    ['tries must be a whole number from 1', { tries: 1.5 }],
    ['totalMs must be a whole number from 1', { totalMs: Number.NaN }],
    ['either bearer or oauth is required', { bearer: undefined }],
    ['either bearer or oauth is required', { oauth }],
    ['bearer must be a token', { bearer: 'secret secret' }],
    ['bearer must be a token', { bearer: '' }],
  ])('%s: %j', async (message, changes) => {
    const error = await make(changes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('secret');
  });

  it.each<[string, object]>([
    ['oauth.clientId is required', { clientId: '' }],
    ['oauth.signingKey must be a private EC P-256 key', { signingKey: privateJwk(rsa) }],
    ['oauth.signingKey must be a private EC P-256 key', { signingKey: ec.publicJwk }],
    ['oauth.signingKey must be a private EC P-256 key', { signingKey: { ...privateJwk(ec), kid: undefined } }],
    ['oauth.signingKey must be a private EC P-256 key', { signingKey: { ...privateJwk(ec), d: 'damaged' } }],
    ['oauth.signingKey must be a private EC P-256 key', { signingKey: undefined }],
    ['oauth.decryptionKeys must be a private RSA key', { decryptionKeys: [privateJwk(ec)] }],
    ['oauth.decryptionKeys must be a private RSA key', { decryptionKeys: rsa.publicJwk }],
  ])('%s', async (message, changes) => {
    const error = await make({ oauth: { ...oauth, ...changes } }, withoutBearer).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
    for (const part of [privateJwk(ec).d, privateJwk(rsa).d, 'damaged']) expect(String(error)).not.toContain(part);
  });

  it('a key of the gateway that is none', async () => {
    const sites = [{ baseUrl: 'https://a.example', payloadKey: ec.publicJwk }];
    await expect(make({ oauth, sites }, withoutBearer)).rejects.toThrow('sites[0].payloadKey must be a public RSA key');
  });
});
