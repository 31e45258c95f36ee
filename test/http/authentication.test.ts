/**
 * The authorization header through the front door: each bad form with its status, and refusals that are the same bytes.
 */
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ApiName, ClientId } from '../../src/domain/ids.ts';
import { cidrs, clientWith, NO_KEYS, TOKEN, tokenHash } from '../edge/clients.ts';
import { type Call, type StageOptions, startStage, textOf } from './stage.ts';
import { exchange, type Reply } from './wire.ts';

const UNAUTHORISED = '{"responseCode":"10","responseDesc":"restricted access"}';

/** What differs between any two answers. */
const OWN = new Set(['timestamp', 'x-request-id', 'date']);

const bytesOf = (reply: Reply | undefined): string =>
  JSON.stringify([reply?.status, [...(reply?.headers ?? [])].filter(([name]) => !OWN.has(name)), reply?.body]);

const refusedCall = async (call: Call, options: StageOptions = {}) => {
  const stage = await startStage(options);
  const reply = await exchange(stage.port, textOf(call));
  expect(stage.effects).toHaveLength(0);
  expect(stage.defects).toEqual([]);
  return { reply, stage };
};

const authorization = (value: string | readonly string[] | undefined): Call => ({ headers: { Authorization: value } });

describe('S1-S9: the authorization header', () => {
  it.each([
    ['S1: no header', undefined],
    ['S1: an empty header', ''],
    ['S2: no token', 'Bearer'],
    ['S2: a blank for a token', 'Bearer '],
    ['S3: Basic', 'Basic dXNlcjpwYXNz'],
    ['S3: Digest', 'Digest username="x"'],
    ['S3: DPoP', `DPoP ${TOKEN}`],
    ['S3: Token', `Token ${TOKEN}`],
    ['S3: an unknown scheme', `Bearer2 ${TOKEN}`],
    ['S3: the token alone', TOKEN],
    ['S6: two tokens', 'Bearer a b'],
    ['S6: a comma', 'Bearer a,b'],
    ['S6: a tab', `Bearer\t${TOKEN}`],
    ['S6: a double space', `Bearer  ${TOKEN}`],
    ['S6: a parameter', `Bearer ${TOKEN}; a=b`],
    ['S6: the header twice', [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]],
    ['S6: the header twice, once empty', [`Bearer ${TOKEN}`, '']],
    ['S7: a quote', 'Bearer "abc"'],
    ['S7: a colon', 'Bearer abc:def'],
    ['S7: padding in the middle', 'Bearer abc=def'],
    ['S7: only padding', 'Bearer =='],
    ['S7: bytes outside ASCII', 'Bearer abc\xe9'],
    ['S8: 65 characters', `Bearer ${'a'.repeat(65)}`],
    ['S8: 8000 characters', `Bearer ${'a'.repeat(8000)}`],
  ])('%s is 401', async (_what, value) => {
    const { reply, stage } = await refusedCall(authorization(value));
    expect(reply?.status).toBe(401);
    expect(reply?.body).toBe(UNAUTHORISED);
    expect(reply?.headers.has('www-authenticate')).toBe(false);
    expect(stage.records).toMatchObject([{ refusal: 'authorizationHeader' }]);
  });

  it('S7: a NUL in it is refused by the parser: 400', async () => {
    const { reply } = await refusedCall(authorization('Bearer abc\0'));
    expect(reply?.status).toBe(400);
  });

  it('S8: 64 characters are a token, though nobody has it', async () => {
    const { reply } = await refusedCall(authorization(`Bearer ${'a'.repeat(64)}`));
    expect(reply?.status).toBe(403);
  });

  it.each(['bearer', 'BEARER', 'bEARER', 'Bearer'])('S4: the scheme %s is accepted', async scheme => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf(authorization(`${scheme} ${TOKEN}`)));
    expect(reply?.status).toBe(200);
  });

  it.each([
    ['the query', { target: `/card-api/tranmgr/purchase?access_token=${encodeURIComponent(TOKEN)}` }],
    ['the body', { body: `{"access_token":"${TOKEN}"}` }],
    ['a form', { body: `access_token=${TOKEN}` }],
  ])('S9: a token in %s does not count, and is not logged', async (_what, call) => {
    const { reply, stage } = await refusedCall({ ...call, headers: { Authorization: undefined } });
    expect(reply?.status).toBe(401);
    expect(JSON.stringify(stage.records)).not.toContain('Canary');
  });
});

describe('S10-S15: tokens, addresses and scopes that are not valid here', () => {
  const elsewhere = clientWith({ allowFrom: cidrs('10.0.0.0/8') });
  const oauth = clientWith({
    id: 'bank' as ClientId,
    access: { kind: 'oauth', keys: NO_KEYS },
  });
  const cases: readonly (readonly [string, Call, StageOptions])[] = [
    ['S10: an unknown token', authorization('Bearer nobody'), {}],
    ['S11: one character changed', authorization(`Bearer X${TOKEN.slice(1)}`), {}],
    ['S11: a prefix', authorization(`Bearer ${TOKEN.slice(0, -1)}`), {}],
    ['S11: a suffix', authorization(`Bearer ${TOKEN}=`), {}],
    ['S11: other case', authorization(`Bearer ${TOKEN.toLowerCase()}`), {}],
    ['S11: the hash for the token', authorization(`Bearer ${hash('sha256', TOKEN)}`), {}],
    ['S12: a client that is gone', {}, { clients: [] }],
    ['S13: an address outside the list', {}, { clients: [elsewhere] }],
    ['S13: an empty list', {}, { clients: [clientWith({ allowFrom: [] })] }],
    ['S13: the neighbour of a list', {}, { clients: [clientWith({ allowFrom: cidrs('127.0.0.2/31') })] }],
    ['S15: an opaque token where only OAuth clients are', authorization('Bearer abc'), { clients: [oauth] }],
    ['S36: an API outside the scopes', { target: '/card-api/tranmgr/refund' }, {}],
  ];

  it.each(cases)('%s is 403', async (_what, call, options) => {
    const { reply } = await refusedCall(call, options);
    expect(reply?.status).toBe(403);
    expect(reply?.body).toBe(UNAUTHORISED);
  });

  it('S10-S15: all of them are the same bytes, which do not tell what was wrong', async () => {
    const replies = await Promise.all(
      cases.map(async ([, call, options]) => bytesOf((await refusedCall(call, options)).reply)),
    );
    expect(new Set(replies).size).toBe(1);
  });

  it('S1-S9: so are all with 401', async () => {
    const values = [undefined, 'Bearer', 'Basic x', `Bearer ${'a'.repeat(65)}`, ['Bearer a', 'Bearer b']];
    const replies = await Promise.all(
      values.map(async value => bytesOf((await refusedCall(authorization(value))).reply)),
    );
    expect(new Set(replies).size).toBe(1);
  });

  it('knows each of several tokens of a client, while one is being replaced', async () => {
    const digests = ['old', 'new', TOKEN].map(tokenHash);
    const client = clientWith({ access: { kind: 'bearer', tokenSha256: digests } });
    const other = clientWith({
      id: 'other' as ClientId,
      scopes: new Set<ApiName>(),
      access: { kind: 'bearer', tokenSha256: [tokenHash('else')] },
    });
    const stage = await startStage({ clients: [other, client] });
    for (const token of ['old', 'new', TOKEN]) {
      expect((await exchange(stage.port, textOf(authorization(`Bearer ${token}`))))?.status).toBe(200);
    }
    expect((await exchange(stage.port, textOf(authorization('Bearer else'))))?.status).toBe(403);
    expect(stage.records.map(record => record.clientId)).toEqual(['wallet', 'wallet', 'wallet', undefined]);
  });

  it('I15: nothing of the body is read before the caller is known', async () => {
    const stage = await startStage();
    // The body never comes: only an answer that does not wait for it can arrive.
    const reply = await exchange(
      stage.port,
      textOf({ headers: { Authorization: 'Bearer nobody', 'Content-Length': '50' } }),
    );
    expect(reply?.status).toBe(403);
  });
});

describe('S14: addresses that somebody else tells', () => {
  const allowed = clientWith({ allowFrom: cidrs('10.1.2.3/32', '2001:db8::/32') });
  const from = (value: string | readonly string[]): Call => ({ headers: { 'X-Forwarded-For': value } });

  it.each([
    ['X-Forwarded-For', '10.1.2.3'],
    ['X-Real-IP', '10.1.2.3'],
    ['Forwarded', 'for=10.1.2.3'],
    ['X-Client-IP', '10.1.2.3'],
    ['True-Client-IP', '10.1.2.3'],
  ])('%s of a peer that is no trusted proxy is not believed', async (name, value) => {
    const { reply } = await refusedCall({ headers: { [name]: value } }, { clients: [allowed] });
    expect(reply?.status).toBe(403);
  });

  it.each(['X-Real-IP', 'Forwarded'])('%s is not believed of a trusted proxy either', async name => {
    const call = { headers: { [name]: name === 'Forwarded' ? 'for=10.1.2.3' : '10.1.2.3' } };
    const options = { clients: [allowed], trustedProxies: cidrs('127.0.0.1/32') };
    expect((await refusedCall(call, options)).reply?.status).toBe(403);
  });

  it.each([
    ['garbage', 'garbage'],
    ['a port', '10.1.2.3:4711'],
    ['a leading zero', '010.1.2.3'],
    ['an IPv6 zone', '2001:db8::1%eth0'],
    ['brackets', '[2001:db8::1]'],
    ['an integer', '167838211'],
    ['unknown', 'unknown'],
    ['nothing', ''],
    ['an empty last hop', '10.1.2.3,'],
    ['an allowed hop left of an untrusted one', '10.1.2.3, 9.9.9.9'],
    ['the same over two lines', ['10.1.2.3', '9.9.9.9']],
    ['garbage on the second line', ['10.1.2.3', 'x']],
  ])('%s in X-Forwarded-For of a trusted proxy is 403', async (_what, value) => {
    const options = { clients: [allowed], trustedProxies: cidrs('127.0.0.1/32') };
    expect((await refusedCall(from(value), options)).reply?.status).toBe(403);
  });

  it.each([
    ['the last hop', '10.1.2.3'],
    ['what others claimed left of it', 'garbage, 9.9.9.9, 10.1.2.3'],
    ['two lines', ['9.9.9.9', '10.1.2.3']],
    ['a second trusted proxy', '10.1.2.3, 192.168.7.7'],
    ['the IPv4-mapped form', '::ffff:10.1.2.3'],
    ['IPv6', '2001:db8:0::1'],
  ])('through trusted proxies %s counts', async (_what, value) => {
    const trustedProxies = cidrs('127.0.0.0/8', '192.168.0.0/16');
    const stage = await startStage({ clients: [allowed], trustedProxies });
    expect((await exchange(stage.port, textOf(from(value))))?.status).toBe(200);
  });
});
