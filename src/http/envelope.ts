/**
 * The public envelope: the one form of every answer, errors included, and the headers that every reply has. Nothing here
 * depends on the request beyond what the answer holds, so that refusals of one class are the same bytes.
 */
import type { Answer } from './journey.ts';

/** Seconds after which a caller may try again where we were the obstacle; our own trouble rarely passes sooner. */
const RETRY_AFTER_SECONDS = '1';

/** The body of an answer as JSON. It may hold card data: it goes to the socket and nowhere else. */
export const bodyOf = (answer: Answer): string =>
  JSON.stringify({
    ...answer.header,
    responseCode: answer.code,
    responseDesc: answer.desc,
    ...answer.fields.reveal(),
    ...(answer.status === 400 ? { errors: answer.errors } : {}),
  });

/** What goes over the wire, the headers that every reply has aside. */
export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
};

/** An answer as a reply. `sealed`: its body as a JWE. */
export const replyOf = (answer: Answer, wallMs: number, sealed?: string): Reply & { readonly body: string } => {
  const headers: Record<string, string> = {
    'Content-Type': sealed === undefined ? 'application/json' : 'application/jose',
    timestamp: String(wallMs),
  };
  if (answer.location !== undefined) headers.Location = answer.location;
  if (answer.replayed) headers['Idempotent-Replayed'] = 'true';
  if (answer.status === 503 || answer.status === 429) headers['Retry-After'] = RETRY_AFTER_SECONDS;
  return { status: answer.status, headers, body: sealed ?? bodyOf(answer) };
};

/** The headers of a reply. `close`: its connection ends with it. */
export const headersOf = (reply: Reply, requestId: string, close: boolean): Record<string, string> => {
  const headers: Record<string, string> = {
    'Content-Length': String(Buffer.byteLength(reply.body)),
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    ...reply.headers,
  };
  if (close) headers.Connection = 'close';
  return headers;
};

/**
 * A whole answer as the text of an HTTP/1.1 message, for a socket on which Node could not parse a request and so has
 * no response object for us. It always closes the connection.
 */
export const rawMessageOf = (answer: Answer, requestId: string, wallMs: number): string => {
  const reply = replyOf(answer, wallMs);
  const headers = { ...headersOf(reply, requestId, true), Date: new Date(wallMs).toUTCString() };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${answer.status} Bad Request\r\n${lines.join('')}\r\n${reply.body}`;
};
