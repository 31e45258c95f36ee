/**
 * What the demo issuer sends back over the wire: the answer of the contract, and the broken replies of its faults.
 */
import type { ServerResponse } from 'node:http';
import type { Reply } from './faults.ts';

/** What every reply carries. */
export type ReplyHead = {
  readonly status: number;
  /** UNIX milliseconds, for the header `timestamp`. */
  readonly timestamp: number;
};

export type ReplyBody = Readonly<Record<string, unknown>>;

/** Far past any limit that a caller should have. */
const HUGE_BYTES = 8 * 1024 * 1024;
const TRAN_ID_MAX = 32;

const PAGE = '<!doctype html><html><head><title>Service notice</title></head><body><h1>It works!</h1></body></html>';

/** Sends the body as JSON. */
export function sendJson(response: ServerResponse, head: ReplyHead, body: ReplyBody): void {
  send(response, head, 'application/json', JSON.stringify(body));
}

type Send = (response: ServerResponse, head: ReplyHead, body: ReplyBody) => void;

const REPLIES: Readonly<Record<Reply, Send>> = {
  answer: sendJson,
  reset: response => {
    response.socket?.resetAndDestroy();
  },
  garbage: (response, head) => {
    send(response, { ...head, status: 200 }, 'text/html', PAGE);
  },
  wrongEcho: (response, head, body) => {
    sendJson(response, head, { ...body, tranId: `other-${body.tranId}`.slice(0, TRAN_ID_MAX) });
  },
  truncated: (response, head, body) => {
    sendHalf(response, head, JSON.stringify(body));
  },
  status500: (response, head) => {
    sendJson(response, { ...head, status: 500 }, { error: 'internal server error' });
  },
  status503: (response, head) => {
    sendJson(response, { ...head, status: 503 }, { error: 'service unavailable' });
  },
  huge: (response, head, body) => {
    sendJson(response, head, { ...body, padding: 'x'.repeat(HUGE_BYTES) });
  },
};

/**
 * Sends the reply of a fault, or the answer itself.
 *
 * @param body what the contract says
 */
export function sendReply(response: ServerResponse, reply: Reply, head: ReplyHead, body: ReplyBody): void {
  REPLIES[reply](response, head, body);
}

function send(response: ServerResponse, head: ReplyHead, type: string, text: string): void {
  response.writeHead(head.status, headersOf(head, type, text));
  response.end(text);
}

const headersOf = (head: ReplyHead, type: string, text: string) => ({
  'content-type': type,
  'content-length': Buffer.byteLength(text),
  timestamp: String(head.timestamp),
});

function sendHalf(response: ServerResponse, head: ReplyHead, text: string): void {
  response.writeHead(head.status, headersOf(head, 'application/json', text));
  response.write(text.slice(0, Math.floor(text.length / 2)), () => response.socket?.destroy());
}
