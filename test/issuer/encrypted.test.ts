/**
 * Messages sealed for an issuer and replies opened with our keys, with an issuer that uses the library alone; and all that
 * a reply may be instead.
 */
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt, importJWK } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { isKeyFault } from '../../src/edge/jwk.ts';
import { type OpeningKey, parseOpeningKey } from '../../src/edge/keys.ts';
import { createNodeEngine } from '../../src/edge/nodeEngine.ts';
import { createHttpIssuer, type HttpIssuerOptions, type IssuerAlarm } from '../../src/issuer/httpIssuer.ts';
import { encryptedPayload, type IssuerPayload, plainPayload } from '../../src/issuer/payload.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemSecretBytes } from '../../src/runtime/random.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { openingKeyText, publicHalf } from './keys.ts';
import { messageOf } from './messages.ts';
import { approval, approve, type Received, response, type Script, startIssuer } from './scriptedIssuer.ts';

const ENGINE = createNodeEngine(systemSecretBytes);
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type RsaPair = { readonly own: OpeningKey; readonly text: string };

const rsaPair = async (): Promise<RsaPair> => {
  const text = openingKeyText();
  const own = await parseOpeningKey(text);
  if (isKeyFault(own)) throw new Error(own.what);
  return { own, text };
};

let ours: RsaPair;
let oursBefore: RsaPair;
let theirs: RsaPair;
let strangers: RsaPair;
beforeAll(async () => {
  [ours, oursBefore, theirs, strangers] = await Promise.all([rsaPair(), rsaPair(), rsaPair(), rsaPair()]);
});

const keyOf = async (text: string, alg = 'RSA-OAEP-256') => {
  const key = await importJWK(JSON.parse(text), alg);
  if (key instanceof Uint8Array) throw new Error('not a key pair');
  return key;
};

type Sealing = {
  readonly to?: RsaPair;
  readonly alg?: string;
  readonly kid?: string | null;
  readonly header?: Partial<CompactJWEHeaderParameters>;
};

/** Seals as an issuer would, with the library alone. */
const sealed = async (plain: string, { to = ours, alg = 'RSA-OAEP-256', kid, header }: Sealing = {}) => {
  const key = await keyOf(JSON.stringify(publicHalf(to.text)), alg);
  const name = kid === null ? {} : { kid: kid ?? to.own.kid };
  const protectedHeader = { alg, enc: 'A128GCM', ...name, ...header };
  return new CompactEncrypt(new TextEncoder().encode(plain)).setProtectedHeader(protectedHeader).encrypt(key);
};

/** Opens as the issuer would. */
const openedByThem = async (jwe: string): Promise<Record<string, string>> => {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, await keyOf(theirs.text));
  expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: theirs.own.kid });
  return JSON.parse(new TextDecoder().decode(plaintext));
};

/** A request as the issuer sees it once it has opened it. */
const opened = async (request: Received): Promise<Received> => ({ ...request, json: await openedByThem(request.text) });

/** Answers 200 with what `make` makes of the opened request. */
const answers =
  (make: (request: Received) => Promise<string | Uint8Array> | string, status = '200 OK'): Script =>
  (socket, request) => {
    void opened(request)
      .then(make)
      .then(body => socket.write(response(status, body, ['content-type: application/jose'])));
  };

const approves = answers(request => sealed(approval(request)));

function connectorTo(baseUrl: string, payload: IssuerPayload, options: Partial<HttpIssuerOptions> = {}) {
  const alarms: IssuerAlarm[] = [];
  const onAlarm = (alarm: IssuerAlarm) => alarms.push(alarm);
  const connector = createHttpIssuer({ baseUrl, clock: systemClock, connections: 20, onAlarm, payload, ...options });
  cleanUps.push(() => connector.close());
  return Object.assign(connector, {
    alarms,
    sendOne: (message: Message = messageOf(), ms = 20_000): Promise<Outcome> =>
      within('the outcome', connector.send(message, { deadline: Deadline.in(systemClock, ms), repeat: false }), 20_000),
  });
}

async function encrypting(script: Script) {
  const issuer = await startIssuer(script);
  cleanUps.push(() => issuer.close());
  const { kid, publicJwk } = theirs.own;
  const key = await keyOf(JSON.stringify(publicJwk));
  const payload = encryptedPayload({
    to: { kid, key },
    openWith: [ours.own, oursBefore.own],
    inFlightMost: 20,
    engine: ENGINE,
  });
  return { issuer, connector: connectorTo(issuer.baseUrl, payload) };
}

const codeOf = (outcome: Outcome): string => (outcome.kind === 'answered' ? outcome.answer.code : outcome.reason);
const GARBAGE = { kind: 'unknown', reason: 'garbage' };

describe('an encrypted exchange', () => {
  it('sends the message sealed for the issuer, nothing of it in the clear, and opens the answer', async () => {
    const { issuer, connector } = await encrypting(approves);
    const message = messageOf();
    const outcome = await connector.sendOne(message);
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, answer: { code: '00' } });
    expect(outcome.kind === 'answered' && outcome.answer.fields.reveal()).toMatchObject({ authCode: 'A1B2C3' });

    const [request] = issuer.requests as [Received];
    expect(request.headers.get('content-type')).toBe('application/jose');
    expect(request.headers.get('idempotency-key')).toBe(message.header.tranId);
    expect(await openedByThem(request.text)).toEqual({ ...message.header, ...message.fields.reveal() });
    expect(request.text).not.toContain('tok_1');
  });

  it('seals every send anew, and uses a connection again', async () => {
    const { issuer, connector } = await encrypting(approves);
    const message = messageOf();
    for (let i = 0; i < 5; i += 1) expect(codeOf(await connector.sendOne(message))).toBe('00');
    expect(new Set(issuer.requests.map(({ text }) => text)).size).toBe(5);
    expect(issuer.sockets.length).toBeLessThan(5);
  });

  it('F32 F77: an answer for our key before this one is opened as well', async () => {
    const { connector } = await encrypting(answers(request => sealed(approval(request), { to: oursBefore })));
    expect(codeOf(await connector.sendOne())).toBe('00');
  });

  it('20 at once', async () => {
    const { connector } = await encrypting(approves);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => connector.sendOne()));
    expect(outcomes.map(codeOf)).toEqual(Array.from({ length: 20 }, () => '00'));
  });

  it('an answer of nearly 64 KiB is read, although it is longer on the wire', async () => {
    const { connector } = await encrypting(
      answers(request => sealed(approval(request, { unlisted: 'x'.repeat(64_000) }))),
    );
    expect(codeOf(await connector.sendOne())).toBe('00');
  });

  it.each(['51', '30', '94'])('a plain 400 with %s is read as the contract has it', async responseCode => {
    const { connector } = await encrypting(
      answers(request => approval(request, { responseCode, authCode: undefined }), '400 Bad Request'),
    );
    expect(codeOf(await connector.sendOne())).toBe(responseCode === '94' ? 'openCode' : responseCode);
  });

  it('a sealed 400 is opened', async () => {
    const { connector } = await encrypting(
      answers(request => sealed(approval(request, { responseCode: '51', authCode: undefined })), '400 Bad Request'),
    );
    expect(codeOf(await connector.sendOne())).toBe('51');
  });

  it.each(['401 Unauthorized', '403 Forbidden', '404 Not Found'])('a plain %s is the door', async status => {
    const { connector } = await encrypting(answers(() => 'no', status));
    expect(await connector.sendOne()).toEqual({ kind: 'notSent', reason: 'refusedAtTheDoor' });
  });
});

type Bad = readonly [title: string, make: (request: Received) => Promise<string | Uint8Array> | string];

const cut = (jwe: string, part: number): string => {
  const parts = jwe.split('.');
  return parts.map((text, index) => (index === part ? `${text.slice(0, -2)}AA` : text)).join('.');
};

const BAD: readonly Bad[] = [
  ['plain where it has to be sealed', request => approval(request)],
  ['plain with a space before it', request => ` ${approval(request)}`],
  ['F21: garbage', () => 'garbage'],
  ['F21: an empty body', () => ''],
  ['sealed for somebody else', request => sealed(approval(request), { to: strangers })],
  ['sealed for a key that we do not have any more', request => sealed(approval(request), { kid: 'the-old-one' })],
  ['sealed for no key in particular', request => sealed(approval(request), { kid: null })],
  ['S75: with another cipher', request => sealed(approval(request), { header: { enc: 'A256GCM' } })],
  ['S70: with another algorithm', request => sealed(approval(request), { alg: 'RSA-OAEP' })],
  ['S73: compressed', request => sealed(approval(request), { header: { zip: 'DEF' } })],
  ['S76: with another key', async request => cut(await sealed(approval(request)), 1)],
  ['S76: with another ciphertext', async request => cut(await sealed(approval(request)), 3)],
  ['S76: with another tag', async request => cut(await sealed(approval(request)), 4)],
  ['S78: with six parts', async request => `${await sealed(approval(request))}.x`],
  ['S83: sealed garbage', () => sealed('garbage')],
  ['S83: nothing, sealed', () => sealed('')],
  ['sealed twice', async request => sealed(await sealed(approval(request)))],
  ['a 400 that is neither', () => 'garbage'],
];

describe('F32 I20: what cannot be opened says nothing', () => {
  it.each(BAD)('%s', async (title, make) => {
    const status = title.startsWith('a 400') ? '400 Bad Request' : '200 OK';
    const { issuer, connector } = await encrypting(answers(make, status));
    expect(await connector.sendOne()).toEqual(GARBAGE);
    await waitFor('the connection to be closed', () => issuer.sockets.every(socket => socket.destroyed));
    issuer.script = approves;
    expect(codeOf(await connector.sendOne())).toBe('00');
  });

  it('F23: a sealed answer to another transaction is nobody’s, and an alarm', async () => {
    const { connector } = await encrypting(answers(request => sealed(approval(request, { tranId: 'ANOTHER' }))));
    expect(await connector.sendOne()).toEqual({ kind: 'unknown', reason: 'wrongEcho' });
    expect(connector.alarms).toEqual([{ kind: 'wrongEcho', api: 'Purchase' }]);
  });

  it('F23: a plain echo around a sealed answer to another does not count', async () => {
    const { connector } = await encrypting(
      answers(async request => approval(request, { payload: await sealed(approval(request)) })),
    );
    expect(await connector.sendOne()).toEqual(GARBAGE);
  });

  it('F24: more than 768 KiB are too much', async () => {
    const { connector } = await encrypting(answers(request => sealed(approval(request, { x: 'x'.repeat(800_000) }))));
    expect(await connector.sendOne()).toEqual({ kind: 'unknown', reason: 'tooLarge' });
  });
});

describe('sealing and opening take time', () => {
  const server = async (script: Script) => {
    const issuer = await startIssuer(script);
    cleanUps.push(() => issuer.close());
    return issuer;
  };

  it('what cannot be sealed is not sent', async () => {
    const issuer = await server(approve);
    const seal = () => Promise.reject(new Error('no key'));
    const connector = connectorTo(issuer.baseUrl, { ...plainPayload, seal });
    expect(await connector.sendOne()).toEqual({ kind: 'notSent', reason: 'connect' });
    expect(connector.alarms).toEqual([{ kind: 'connect', code: 'SEALING' }]);
    expect(issuer.sockets).toHaveLength(0);
  });

  it('I11: what is sealed too late is not sent', async () => {
    const issuer = await server(approve);
    const seal = async (body: string) => {
      const end = performance.now() + 60;
      while (performance.now() < end);
      return body;
    };
    expect(await connectorTo(issuer.baseUrl, { ...plainPayload, seal }).sendOne(messageOf(), 30)).toEqual({
      kind: 'notSent',
      reason: 'noBudget',
    });
    expect(issuer.requests).toHaveLength(0);
  });

  it('I9: an answer that is not open at the deadline is unknown', async () => {
    const issuer = await server(approve);
    const open = () => new Promise<Uint8Array>(() => {});
    const connector = connectorTo(issuer.baseUrl, { ...plainPayload, open });
    expect(await connector.sendOne(messageOf(), 300)).toEqual({ kind: 'unknown', reason: 'timeout' });
  });

  it('F23: what shows only later leaves the next exchange its answer, and the connection ends with that', async () => {
    const issuer = await server(approve);
    const opening: { readonly body: Uint8Array; readonly settle: PromiseWithResolvers<Uint8Array> }[] = [];
    const open = (_status: number, body: Uint8Array) => {
      const settle = Promise.withResolvers<Uint8Array>();
      opening.push({ body, settle });
      return settle.promise;
    };
    const connector = connectorTo(issuer.baseUrl, { ...plainPayload, open }, { connections: 2 });
    const first = connector.sendOne();
    await waitFor('the first answer', () => opening.length === 1);
    const held: (() => void)[] = [];
    issuer.script = (socket, request) => held.push(() => approve(socket, request));
    const second = connector.sendOne();
    await waitFor('the second request, on the same connection', () => held.length === 1);
    expect(issuer.sockets).toHaveLength(1);

    opening[0]?.settle.reject(new Error('not for us'));
    expect(await first).toEqual(GARBAGE);
    for (const answer of held) answer();
    await waitFor('the second answer', () => opening.length === 2);
    opening[1]?.settle.resolve(opening[1].body);
    expect(codeOf(await second)).toBe('00');
    issuer.script = approve;
    const third = connector.sendOne();
    await waitFor('the third answer', () => opening.length === 3);
    opening[2]?.settle.resolve(opening[2].body);
    expect(codeOf(await third)).toBe('00');
    expect(issuer.sockets).toHaveLength(2);
  });
});
