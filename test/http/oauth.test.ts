/**
 * The addresses of OAuth as HTTP: what is read of a request, what is answered when something breaks, and that they end
 * like everything else on the port. And sealed answers. What the endpoint itself decides is tested where it is.
 */
import { describe, expect, it } from 'vitest';
import type { ClientId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { TokenRequest, TokenResponse } from '../../src/edge/tokenEndpoint.ts';
import type { OauthRecord } from '../../src/http/journey.ts';
import type { OauthServer } from '../../src/http/oauth.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, type Call, gateOf, type StageOptions, startStage, textOf } from './stage.ts';
import { exchange, Wire } from './wire.ts';

const ISSUED: TokenResponse = {
  status: 200,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' },
  body: '{"access_token":"t"}',
  log: { client: 'bank' as ClientId, refused: undefined, token: 'd' },
};
const FORM = 'application/x-www-form-urlencoded';

/** A stage with an authorization server that notes what it is asked. */
const start = async (changes: Partial<OauthServer> = {}, options: StageOptions = {}) => {
  const asked: TokenRequest[] = [];
  const seen: OauthRecord[] = [];
  const oauth: OauthServer = {
    callerOf: (peer, hops) => ({ caller: [peer, ...hops].join(' < ') }),
    token: async request => {
      asked.push(request);
      return ISSUED;
    },
    metadata: () => ({ issuer: 'https://gateway.example' }),
    jwks: () => ({ keys: [] }),
    observe: record => seen.push(record),
    ...changes,
  };
  const stage = await startStage({ oauth, ...options });
  return { stage, asked, seen };
};

const tokenCall = (call: Call = {}): string =>
  textOf({
    target: '/oauth2/token',
    body: 'a=b',
    ...call,
    headers: { Authorization: undefined, timestamp: undefined, 'Content-Type': FORM, ...call.headers },
  });
const jwksCall = (method = 'GET') =>
  textOf({ method, target: '/oauth2/jwks', body: '', headers: { timestamp: undefined } });

describe('the token endpoint', () => {
  it('gets what was sent, and asks for no header of ours', async () => {
    const { stage, asked, seen } = await start();
    const reply = await exchange(
      stage.port,
      tokenCall({ target: '/oauth2/token?x=y?z', headers: { Authorization: 'Basic x' } }),
    );
    expect([reply?.status, reply?.body]).toEqual([200, ISSUED.body]);
    expect(reply?.headers.get('pragma')).toBe('no-cache');
    expect(reply?.headers.get('cache-control')).toBe('no-store');
    expect(reply?.headers.has('timestamp')).toBe(false);
    expect(asked).toMatchObject([
      { method: 'POST', contentType: FORM, rawQuery: 'x=y?z', headers: { authorization: 'Basic x' } },
    ]);
    expect(Buffer.from(asked[0]?.body ?? []).toString()).toBe('a=b');
    await exchange(stage.port, tokenCall({ headers: { 'X-Forwarded-For': '10.0.0.1, 10.0.0.2' } }));
    expect(asked.map(({ caller }) => caller)).toEqual(['127.0.0.1', '127.0.0.1 < 10.0.0.1 < 10.0.0.2']);
    expect(seen[0]).toMatchObject({ endpoint: 'token', status: 200, result: 'issued', clientId: 'bank', token: 'd' });
    expect(stage.records).toEqual([]);
  });

  it.each<[string, Call]>([
    ['announced', { headers: { 'Content-Length': '16385' }, body: 'a=b' }],
    [
      'in chunks',
      {
        headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' },
        body: `5000\r\n${'a'.repeat(0x5000)}\r\n0\r\n\r\n`,
      },
    ],
  ])('S57: does not get a body that is too long, %s', async (_, call) => {
    const { stage, asked, seen } = await start();
    const reply = await exchange(stage.port, tokenCall(call));
    expect(reply?.status).toBe(400);
    expect(JSON.parse(reply?.body ?? '')).toEqual({
      error: 'invalid_request',
      error_description: 'body must be at most 16384 bytes',
    });
    expect(reply?.headers.get('cache-control')).toBe('no-store');
    expect(asked).toEqual([]);
    expect(seen).toMatchObject([{ status: 400, result: 'http' }]);
  });

  it('gets a body of just that length', async () => {
    const { stage, asked } = await start();
    expect((await exchange(stage.port, tokenCall({ body: 'a'.repeat(16_384) })))?.status).toBe(200);
    expect(asked[0]?.body).toHaveLength(16_384);
  });

  it('does not get a body that breaks off', async () => {
    const { stage, asked, seen } = await start();
    const wire = await Wire.open(stage.port);
    wire.send(tokenCall({ headers: { 'Content-Length': '100' } }));
    wire.socket.end();
    await waitFor('its record', () => seen.length === 1);
    expect(seen).toMatchObject([{ result: 'http' }]);
    expect(asked).toEqual([]);
  });

  it('F65: counts as in flight, and is let out whole at the end', async () => {
    const gate = gateOf();
    const { stage } = await start({
      token: async () => {
        await gate.opened;
        return ISSUED;
      },
    });
    const reply = exchange(stage.port, tokenCall());
    await waitFor('it in flight', () => stage.inFlight() === 1);
    stage.beginDrain();
    const closed = stage.close(5000);
    gate.open();
    expect((await reply)?.status).toBe(200);
    expect((await reply)?.headers.get('connection')).toBe('close');
    await closed;
  });

  it('is refused like everything where too much is in flight', async () => {
    const { stage, asked } = await start({}, { limits: { inFlight: 0 } });
    expect((await exchange(stage.port, tokenCall()))?.status).toBe(503);
    expect(asked).toEqual([]);
  });

  it('F85: is not taken up by a caller whose bodies never end, nor is the rest of the port', async () => {
    const { stage, asked, seen } = await start({}, { limits: { inFlight: 130 } });
    const unended = tokenCall({ headers: { 'X-Forwarded-For': '10.0.0.1', 'Content-Length': '100' } });
    const wires = await Promise.all(Array.from({ length: 129 }, () => Wire.open(stage.port)));
    for (const wire of wires) wire.send(unended);
    await waitFor(
      'as many as may be under way, and the one too many',
      () => stage.inFlight() === 128 && seen.length === 1,
    );
    expect(seen).toMatchObject([{ status: 503, result: 'busy', clientId: undefined }]);
    expect((await exchange(stage.port, tokenCall({ headers: { 'X-Forwarded-For': '10.0.0.2' } })))?.status).toBe(200);
    expect((await exchange(stage.port, textOf({})))?.status).toBe(200);
    for (const wire of wires) wire.end();
    await waitFor('their end', () => stage.inFlight() === 0);
    expect((await exchange(stage.port, tokenCall({ headers: { 'X-Forwarded-For': '10.0.0.1' } })))?.status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('answers 500 without a word where it fails, and the defect is told', async () => {
    const { stage, seen } = await start({ token: () => Promise.reject(new Error('secret')) });
    const reply = await exchange(stage.port, tokenCall());
    expect([reply?.status, reply?.body]).toEqual([500, '{"error":"server_error"}']);
    expect(stage.defects).toHaveLength(1);
    expect(seen).toMatchObject([{ result: 'failed', status: 500 }]);
    expect(stage.inFlight()).toBe(0);
  });

  it('answers though nobody could be told', async () => {
    const observe = () => {
      throw new Error('full');
    };
    const { stage } = await start({ observe });
    expect((await exchange(stage.port, tokenCall()))?.status).toBe(200);
    expect(stage.defects).toHaveLength(1);
  });
});

describe('the documents', () => {
  it('are given as they are now', async () => {
    const keys: string[] = [];
    const { stage, seen } = await start({ jwks: () => ({ keys }) });
    expect((await exchange(stage.port, jwksCall()))?.body).toBe('{"keys":[]}');
    keys.push('new');
    expect((await exchange(stage.port, jwksCall()))?.body).toBe('{"keys":["new"]}');
    expect(seen).toMatchObject([{ endpoint: 'jwks', result: 'served' }, { endpoint: 'jwks' }]);
  });

  it.each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'get'])('are not there for %s', async method => {
    const { stage, seen } = await start();
    const wire = await Wire.open(stage.port);
    wire.send(jwksCall(method));
    const reply = await wire.next('an answer', true);
    expect(reply.status === 404 || reply.status === 400).toBe(true);
    expect(seen).toEqual([]);
  });
});

describe('sealed answers', () => {
  const seal = async (body: string) => `sealed ${Buffer.from(body).toString('base64')}`;

  it('are those with 200, and are told by their media type', async () => {
    const stage = await startStage({ seal });
    const reply = await exchange(stage.port, textOf());
    expect(reply?.headers.get('content-type')).toBe('application/jose');
    const [, text = ''] = reply?.body.split(' ') ?? [];
    expect(JSON.parse(Buffer.from(text, 'base64').toString())).toMatchObject({ responseCode: '00' });
    expect(stage.records).toMatchObject([{ status: 200, code: '00' }]);
  });

  it('are no others', async () => {
    const stage = await startStage({ seal, answer: approved({ status: 400, code: '30' }) });
    const reply = await exchange(stage.port, textOf());
    expect(reply?.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(reply?.body ?? '')).toMatchObject({ responseCode: '30' });
  });

  it('never leave open where they cannot be sealed', async () => {
    const answer = approved({ fields: new Secret({ CVV2: '987' }) });
    const stage = await startStage({ seal: () => Promise.reject(new Error('no key')), answer });
    const reply = await exchange(stage.port, textOf());
    expect(reply?.status).toBe(500);
    expect(JSON.parse(reply?.body ?? '')).toEqual({ responseCode: '96', responseDesc: expect.any(String) });
    expect(stage.defects).toHaveLength(1);
    expect(stage.inFlight()).toBe(0);
  });
});
