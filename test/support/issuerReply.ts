/**
 * How a scripted issuer's reply leaves: as it should, or late, cut, garbled, for another transaction, or not at all.
 */
import type { ServerResponse } from 'node:http';
import type { Decision } from './issuerLedger.ts';
import type { Behaviour } from './issuerScript.ts';
import type { IssuerRequest } from './scriptedIssuer.ts';

type Body = Readonly<Record<string, unknown>>;

const HEADER_FIELDS = [
  'participantId',
  'tranBranch',
  'tranChnl',
  'tranCode',
  'tranDate',
  'tranTime',
  'tranId',
  'tellerNo',
  'terminalNo',
];
const HUGE_BYTES = 8 * 1024 * 1024;
const OTHER_AMOUNT = '0.01';

/** The reply that the contract asks for: the header fields as sent, the code, and the fields of the decision. */
export function answerBody(request: IssuerRequest, decision: Decision): Body {
  const header = HEADER_FIELDS.flatMap(name => (name in request.body ? [[name, request.body[name]] as const] : []));
  const lists = request.api.endsWith('History') && decision.code === '00' ? { recordList: [] } : {};
  return {
    ...Object.fromEntries(header),
    responseCode: decision.code,
    responseDesc: decision.code === '00' ? 'approved' : `declined ${decision.code}`,
    ...decision.fields,
    ...lists,
  };
}

/** Sends what the behaviour makes of the right reply; a hang sends nothing. */
export function reply(response: ServerResponse, request: IssuerRequest, behaviour: Behaviour, right: Body): void {
  switch (behaviour.kind) {
    case 'answer':
      send(response, withFields(right, behaviour.fields ?? {}));
      break;
    case 'decline':
      send(response, right);
      break;
    case 'resetBeforeEffect':
    case 'resetAfterEffect':
      response.socket?.resetAndDestroy();
      break;
    case 'status':
      sendText(response, behaviour.status, behaviour.body ?? JSON.stringify(right));
      break;
    case 'redirect':
      response.writeHead(behaviour.status ?? 307, { location: behaviour.location }).end();
      break;
    case 'late':
      setTimeout(() => response.destroyed || send(response, right), behaviour.ms).unref();
      break;
    case 'raw':
      sendRaw(response, behaviour.bytes, behaviour.keepOpen ?? false);
      break;
    default:
      garble(response, request, behaviour, right);
  }
}

/** Replies with status 200 that say something else than they should, or do not say it to the end. */
function garble(response: ServerResponse, request: IssuerRequest, behaviour: Behaviour, right: Body): void {
  switch (behaviour.kind) {
    case 'garbage':
      sendText(response, 200, '<html><body>Service temporarily rearranged</body></html>');
      break;
    case 'emptyBody':
      sendText(response, 200, '');
      break;
    case 'halfBody':
      sendHalf(response, JSON.stringify(right));
      break;
    case 'drip':
      drip(response, JSON.stringify(right), behaviour.bytes ?? 1, behaviour.everyMs ?? 200);
      break;
    case 'unknownCode':
      send(response, { ...right, responseCode: behaviour.code ?? 'ZZ' });
      break;
    case 'wrongEcho':
      send(response, { ...right, [behaviour.field ?? 'tranId']: 'of-another' });
      break;
    case 'wrongAmount':
      send(response, { ...right, ...amountOf(request, behaviour.amount ?? OTHER_AMOUNT) });
      break;
    case 'code':
      send(response, { ...right, responseCode: behaviour.code, responseDesc: 'open' });
      break;
    case 'huge':
      send(response, { ...right, padding: 'x'.repeat(behaviour.bytes ?? HUGE_BYTES) });
      break;
  }
}

const amountOf = ({ body }: IssuerRequest, tranAmount: string): Body => ({
  tranAmount,
  tranCurrency: body.tranCurrency,
});

function withFields(body: Body, fields: Body): Body {
  return Object.fromEntries(Object.entries({ ...body, ...fields }).filter(([, value]) => value !== undefined));
}

const send = (response: ServerResponse, body: Body): void => sendText(response, 200, JSON.stringify(body));

function sendText(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      timestamp: String(Date.now()),
    })
    .end(body);
}

function sendHalf(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.write(body.slice(0, body.length / 2), () => response.socket?.destroy());
}

function drip(response: ServerResponse, body: string, bytes: number, everyMs: number): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  let at = 0;
  const timer = setInterval(() => {
    if (response.destroyed) return clearInterval(timer);
    response.write(body.slice(at, at + bytes));
    at += bytes;
    if (at < body.length) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  timer.unref();
}

function sendRaw(response: ServerResponse, bytes: string, keepOpen: boolean): void {
  const { socket } = response;
  if (!socket) return;
  socket.write(Buffer.from(bytes, 'latin1'));
  if (!keepOpen) socket.end();
}
