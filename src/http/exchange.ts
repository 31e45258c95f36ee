/**
 * One request on one connection and its answer: who asked, how its answer is written, and what happens to the
 * connection afterwards. Every request gets exactly one answer, except where the client is no longer there to hear it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiRow } from '../catalogue/row.ts';
import { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import { InboundBody } from './body.ts';
import { headersOf, type Reply } from './envelope.ts';
import type { Inbound } from './journey.ts';
import { forwardedHops, type Head, headOf } from './requestHead.ts';

/** A client that still sends when it has its answer is listened to this long: closing at once would tear the answer. */
const LINGER_MS = 500;
/** And this much; past it the answer may be torn, but a flood costs no more than this. */
const LINGER_BYTES = 1024 * 1024;

const ignore = (): void => undefined;

export class Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The API that was asked for by its very address; a router may find one where this is undefined. */
  readonly row: ApiRow | undefined;
  readonly requestId: string;
  readonly peer: string;
  readonly head: Head;
  readonly body: InboundBody;
  readonly arrivedMonotonicMs: number;
  readonly #clock: Clock;
  #closeAfter: boolean;
  #endsConnection = false;

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    options: Pick<Exchange, 'row' | 'requestId'> & { readonly clock: Clock; readonly awaitsContinue: boolean },
  ) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.row = options.row;
    this.#clock = options.clock;
    this.requestId = options.requestId;
    this.arrivedMonotonicMs = options.clock.monotonicMs();
    this.peer = incoming.socket.remoteAddress ?? '';
    this.head = headOf(incoming);
    // No protocol is changed here, but Node drops what came right behind such a request: the rest would be misread.
    this.#closeAfter = this.head.upgrade !== undefined;
    this.body = new InboundBody(incoming, outgoing, this.head, options.awaitsContinue);
    // Writing to a client that has gone is no error of ours.
    outgoing.on('error', ignore);
  }

  /** Whether the answer has left, or can no longer leave. */
  isOver(): boolean {
    return this.outgoing.writableFinished || this.outgoing.destroyed;
  }

  /** Whether the connection ends with this answer. */
  get isLast(): boolean {
    return this.#closeAfter;
  }

  /** Lets the connection end with this answer. */
  closeAfter(): void {
    this.#closeAfter = true;
  }

  /** Nothing more can be read from this connection: an unfinished body never comes, and the answer is the last one. */
  cutOff(): void {
    this.#closeAfter = true;
    if (!this.incoming.complete) this.body.break();
  }

  /** As `cutOff`, and ends the connection after the answer also where its head has left already and promised more. */
  endConnection(socket: Duplex): void {
    this.cutOff();
    if (this.#endsConnection) return;
    this.#endsConnection = true;
    this.outgoing.once('close', () => socket.end(() => socket.destroy()));
  }

  /** Writes the reply, and lets the connection end with it where something unread would be taken for a request. */
  reply(reply: Reply): void {
    const restIsSmall = this.body.restIsSmall();
    this.outgoing.writeHead(reply.status, headersOf(reply, this.requestId, this.#closeAfter || !restIsSmall));
    if (restIsSmall) this.outgoing.end(reply.body);
    else this.#endAfterRest(reply.body);
  }

  #endAfterRest(body: Reply['body']): void {
    const { incoming } = this;
    this.outgoing.write(body);
    let bytes = 0;
    const end = () => {
      cancel();
      incoming.off('data', count).off('end', end).off('close', end);
      this.outgoing.end();
    };
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES) end();
    };
    const cancel = this.#clock.after(LINGER_MS, end);
    incoming.on('data', count).on('end', end).on('close', end);
    incoming.resume();
  }
}

/** The call as the journey sees it. */
export const inboundOf = (exchange: Exchange, row: ApiRow): Inbound => {
  const { head, body, requestId, peer, arrivedMonotonicMs } = exchange;
  return {
    row,
    requestId,
    peer,
    arrivedMonotonicMs,
    forwardedFor: forwardedHops(head),
    authorization: head.authorization === undefined ? undefined : new Secret(head.authorization),
    timestamp: head.timestamp,
    idempotencyKey: head['idempotency-key'],
    readBody: payload => body.read(payload),
  };
};
