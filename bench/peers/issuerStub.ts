/**
 * The issuer of the bench, as lean as Node allows: it approves every message, echoing the header fields that the gateway
 * checks, straight on the socket. As told it answers after a delay, cuts off a share of the requests, or leaves a share
 * unanswered. It speaks just enough HTTP/1.1 for requests with a Content-Length.
 *
 * node issuerStub.ts --port N [--delay-ms N] [--drop-percent N] [--hang-percent N]
 */
import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

export type Manners = {
  readonly delayMs: number;
  /** Of a hundred requests, how many end with their connection, unanswered: spread evenly, the same in every run. */
  readonly dropPercent: number;
  readonly hangPercent: number;
};

/** What a request does to the connection. `undefined`: it has not come in whole. */
export type Taken = { readonly body: string; readonly rest: string } | undefined;

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const HUNDRED = 100;

/** Takes the first whole request off what has come in. */
export function takeRequest(received: string): Taken {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const length = Number(LENGTH.exec(received.slice(0, headEnd))?.[1] ?? 0);
  const end = headEnd + HEAD_END.length + length;
  if (received.length < end) return undefined;
  return { body: received.slice(headEnd + HEAD_END.length, end), rest: received.slice(end) };
}

/** The header fields come first in what a gateway sends and in what the loads send; the tail is the decision. */
const TAIL =
  '"responseCode":"00","responseDesc":"approved","authCode":"123456","availableBalance":"987.50","balanceCurrency":"840"}';

/** The value of a field, without a parser: the loads write no escapes. */
const fieldOf = (body: string, name: string): string => {
  const at = body.indexOf(`"${name}":"`);
  if (at < 0) return '';
  const start = at + name.length + 4;
  return body.slice(start, body.indexOf('"', start));
};

/** The reply that a gateway believes: it names the participant and the transaction. */
export const approvalOf = (body: string): string =>
  `{"participantId":"${fieldOf(body, 'participantId')}","tranId":"${fieldOf(body, 'tranId')}",${TAIL}`;

const responseOf = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}${HEAD_END}${body}`;

/** Whether the request of this number is one of the share: evenly spread rather than drawn. */
export const isOfShare = (number: number, percent: number): boolean =>
  Math.floor((number * percent) / HUNDRED) > Math.floor(((number - 1) * percent) / HUNDRED);

function serve(socket: Socket, { delayMs, dropPercent, hangPercent }: Manners, next: () => number): void {
  let received = '';
  const reply = (body: string) => {
    if (!socket.destroyed) socket.write(responseOf(approvalOf(body)), 'latin1');
  };
  const handle = (body: string) => {
    const number = next();
    if (isOfShare(number, dropPercent)) socket.resetAndDestroy();
    else if (isOfShare(number, hangPercent)) return;
    else if (delayMs > 0) setTimeout(reply, delayMs, body);
    else reply(body);
  };
  socket.setEncoding('latin1').setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    received += chunk;
    for (let taken = takeRequest(received); taken; taken = takeRequest(received)) {
      received = taken.rest;
      handle(taken.body);
    }
  });
}

function main(): void {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { port: text, 'delay-ms': text, 'drop-percent': text, 'hang-percent': text },
  });
  const manners = {
    delayMs: Number(values['delay-ms'] ?? 0),
    dropPercent: Number(values['drop-percent'] ?? 0),
    hangPercent: Number(values['hang-percent'] ?? 0),
  };
  let requests = 0;
  const next = () => {
    requests += 1;
    return requests;
  };
  createServer(socket => serve(socket, manners, next)).listen({ port: Number(values.port), host: '127.0.0.1' });
}

if (import.meta.main) main();
