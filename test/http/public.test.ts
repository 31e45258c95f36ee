/**
 * The public port with a scripted journey: routes, bodies, statuses and the envelope of every answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { REFUSALS, Refusal, type RefusalReason } from '../../src/domain/refusal.ts';
import { RESPONSE_CODES } from '../../src/domain/responseCode.ts';
import { Secret } from '../../src/domain/secret.ts';
import { refusedAnswer } from '../../src/http/journey.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, PATH, startStage, textOf } from './stage.ts';
import { exchange, Wire } from './wire.ts';

describe('the public port', () => {
  it('answers a good call with the envelope: header fields, code, text, own fields, in this order', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf());
    expect(reply?.status).toBe(200);
    expect(reply?.body).toBe(
      '{"participantId":"100000","tranId":"T1","responseCode":"00","responseDesc":"approved","authCode":"123456"}',
    );
    expect(stage.effects.map(body => Buffer.from(body).toString())).toEqual(['{"a":"1"}']);
  });

  it('answers with its own headers, and says replayed only when it was', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf());
    expect(reply?.headers.get('content-type')).toBe('application/json');
    expect(reply?.headers.get('cache-control')).toBe('no-store');
    expect(reply?.headers.get('timestamp')).toMatch(/^[0-9]{13}$/);
    expect(reply?.headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
    expect(reply?.headers.has('idempotent-replayed')).toBe(false);
    expect(reply?.headers.has('retry-after')).toBe(false);

    const again = await startStage({ answer: approved({ replayed: true }) });
    expect((await exchange(again.port, textOf()))?.headers.get('idempotent-replayed')).toBe('true');
  });

  it('routes every API of the catalogue below the base path, and only there', async () => {
    const seen: string[] = [];
    const before = async (inbound: { readonly row: { readonly name: string } }) => void seen.push(inbound.row.name);
    const stage = await startStage({ before });
    for (const row of APIS) await exchange(stage.port, textOf({ target: `/card-api${row.path}` }));
    expect(seen).toEqual(APIS.map(row => row.name));
    expect((await exchange(stage.port, textOf({ target: '/tranmgr/purchase' })))?.status).toBe(404);
  });

  it('routes at the root where the base path is empty', async () => {
    const stage = await startStage({ basePath: '' });
    expect((await exchange(stage.port, textOf({ target: '/tranmgr/purchase' })))?.status).toBe(200);
  });

  it.each(Object.keys(REFUSALS) as RefusalReason[])('answers the refusal %s by the table', async reason => {
    const { status, code } = REFUSALS[reason];
    const journey = async () => {
      const answer = refusedAnswer(new Refusal(reason, [{ field: 'tranId', reason: 'x' }], { tranId: 'T' }));
      return { answer, facts: { outcome: 'refused', refusal: reason } } as const;
    };
    const stage = await startStage({ journey });
    const reply = await exchange(stage.port, textOf());
    expect(reply?.status).toBe(status);
    const { meaning } = RESPONSE_CODES[code];
    const errors = status === 400 ? { errors: [{ field: 'tranId', reason: 'x' }] } : {};
    expect(reply?.body).toBe(JSON.stringify({ tranId: 'T', responseCode: code, responseDesc: meaning, ...errors }));
    const waits = status === 503 || status === 429;
    expect(reply?.headers.get('retry-after')).toBe(waits ? '1' : undefined);
  });

  it('answers a defect with 96 and says nothing about it, neither to the caller nor in the record', async () => {
    const journey = async (): Promise<never> => {
      throw new Error('secret 4111111111111111');
    };
    const stage = await startStage({ journey });
    const reply = await exchange(stage.port, textOf());
    expect(reply?.status).toBe(500);
    expect(reply?.body).toBe('{"responseCode":"96","responseDesc":"system malfunction"}');
    expect(stage.defects).toHaveLength(1);
    expect(stage.records).toMatchObject([{ outcome: 'failed', status: 500, code: '96', api: 'Purchase' }]);
    expect(JSON.stringify(stage.records)).not.toContain('4111');
  });

  it('answers 96 where the answer itself cannot be written', async () => {
    const cyclic: Record<string, never> = {};
    Object.assign(cyclic, { self: cyclic });
    const stage = await startStage({ answer: approved({ fields: new Secret(cyclic) }) });
    expect((await exchange(stage.port, textOf()))?.status).toBe(500);
    expect(stage.defects).toHaveLength(1);
  });

  it('goes on when the observer throws', async () => {
    const defects: unknown[] = [];
    const observe = () => {
      throw new Error('full');
    };
    const stage = await startStage({ observe, onDefect: error => defects.push(error) });
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
    expect(defects).toHaveLength(2);
  });

  it('tells the observer of each request once, with the request id of the answer', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf());
    await exchange(stage.port, textOf({ target: '/nowhere' }));
    expect(stage.records).toHaveLength(2);
    const [first, second] = stage.records;
    expect(first?.requestId).toBe(reply?.headers.get('x-request-id'));
    expect(first).toMatchObject({ api: 'Purchase', status: 200, code: '00', outcome: 'approved', peer: '127.0.0.1' });
    expect(second).toMatchObject({ status: 404, code: '12', outcome: 'refused', refusal: 'noSuchApi' });
    expect(second?.api).toBeUndefined();
  });

  it('F10: refuses what is past the cap with 503 before anything else, and serves again afterwards', async () => {
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    const stage = await startStage({ before: () => gate, limits: { inFlight: 2 } });
    const held = await Promise.all([Wire.open(stage.port), Wire.open(stage.port)]);
    for (const wire of held) wire.send(textOf());
    await waitFor('two in flight', () => stage.inFlight() === 2);
    const reply = await exchange(stage.port, textOf({ target: '/nowhere', headers: { Host: undefined } }));
    expect(reply?.status).toBe(503);
    expect(reply?.headers.get('retry-after')).toBe('1');
    expect(reply?.body).toContain('"responseCode":"91"');
    expect(stage.effects).toHaveLength(0);
    release();
    for (const wire of held) expect((await wire.next()).status).toBe(200);
    expect(stage.inFlight()).toBe(0);
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
  });

  it('hands over what came in unbelieved: all hops, several values joined, nothing decoded', async () => {
    const seen: unknown[] = [];
    const stage = await startStage({
      journey: async ({ forwardedFor, timestamp, idempotencyKey, authorization }) => {
        seen.push(forwardedFor, timestamp, idempotencyKey, authorization?.reveal(), String(authorization));
        return { answer: approved(), facts: { outcome: 'approved' } };
      },
    });
    const headers = {
      'X-Forwarded-For': ['1.1.1.1, 2.2.2.2', ' 3.3.3.3 ,'],
      'Idempotency-Key': ['a', 'a'],
      timestamp: ['1', '2'],
      Authorization: ['Bearer a', 'Bearer b'],
    };
    await exchange(stage.port, textOf({ headers }));
    expect(seen).toEqual([['1.1.1.1', '2.2.2.2', '3.3.3.3', ''], '1, 2', 'a, a', 'Bearer a, Bearer b', '[secret]']);
  });
});

describe('S119, S120: routes', () => {
  it.each([
    ['a dot segment', '/card-api/./tranmgr/purchase'],
    ['an encoded letter', '/card-api/tranmgr/%70urchase'],
    ['a query', `${PATH}?access_token=x`],
  ])('S119: %s is the matched route', async (_what, target) => {
    const stage = await startStage();
    expect((await exchange(stage.port, textOf({ target })))?.status).toBe(200);
    expect(stage.records).toMatchObject([{ api: 'Purchase' }]);
  });

  it('S119: an encoded path is authorised by the matched route', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ target: '/card-api/tranmgr/%72efund' }));
    expect(reply?.status).toBe(403);
    expect(stage.effects).toHaveLength(0);
  });

  it.each([
    '/',
    '/card-api',
    '//card-api/tranmgr/purchase',
    '/card-api//tranmgr/purchase',
    '/card-api/tranmgr/Purchase',
    '/card-api/tranmgr/purchase/',
    '/card-api/tranmgr/purchase;a=b',
    '/card-api/tranmgr%2Fpurchase',
    '/card-api/tranmgr/*',
    '/card-api/tranmgr/:api',
    '/card-api/tranmgr/__proto__',
    '/card-api/%ff',
    '/metrics',
    '/healthz',
  ])('S119, S120: %s is no API: 404 in one form', async target => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ target }));
    expect(reply?.status).toBe(404);
    expect(reply?.body).toBe('{"responseCode":"12","responseDesc":"invalid transaction"}');
    expect(stage.effects).toHaveLength(0);
  });

  it('S119: every target of the grammar is answered in the envelope', async () => {
    const stage = await startStage();
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '%2e%2e', '%2F', '%00', '%25', ':', '*', '?', '//', '@', ';', 'card-api', '%C3%A9'),
      fc.string({ unit: fc.constantFrom(..."ABCxyz019-._~!$&'()*+,;=:@/?"), maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async pieces => {
        const reply = await exchange(stage.port, textOf({ target: `/${pieces.join('/')}` }));
        expect(reply?.status).toBe(404);
        expect(reply?.body).toBe('{"responseCode":"12","responseDesc":"invalid transaction"}');
      }),
      { numRuns: 60 },
    );
    expect(stage.records).toHaveLength(60);
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
    'S120: %s is 404, the same bytes as an unknown path',
    async method => {
      const stage = await startStage();
      const reply = await exchange(stage.port, textOf({ method }));
      expect(reply?.status).toBe(404);
      expect(reply?.body).toBe('{"responseCode":"12","responseDesc":"invalid transaction"}');
      expect(reply?.headers.has('allow')).toBe(false);
    },
  );

  it('S120: HEAD is 404 without a body, and the connection goes on', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ method: 'HEAD', headers: { 'Content-Length': undefined }, body: '' }));
    expect((await wire.next('the head', true)).status).toBe(404);
    wire.send(textOf());
    expect((await wire.next()).status).toBe(200);
    wire.end();
  });

  it('S120: CONNECT is dropped', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send('CONNECT gateway.example:443 HTTP/1.1\r\nHost: gateway.example\r\n\r\n');
    await wire.closed();
    expect(wire.received).toBe('');
  });
});
