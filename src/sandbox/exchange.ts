/**
 * Sends one call and shows the exchange as a person reads it: what went out and what came back, with the token left
 * out, card numbers masked and CVV2, PIN blocks and the like hidden.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import { maskPan } from '../domain/card.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';

export type Outgoing = {
  readonly url: URL;
  readonly token: Secret<string>;
  /** The token as it is printed: whose it is, or its beginning. */
  readonly tokenShown: string;
  readonly tranId: string;
  /** UNIX milliseconds. */
  readonly timestamp: string;
  readonly body: Secret<Readonly<Record<string, string>>>;
  /** The body in its envelope, which goes out in its place. */
  readonly jwe?: string;
};

/** Any HTTP request. */
export type Sending = {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Incoming = {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly tookMs: number;
};

/** Longer than any budget that a gateway gives a caller. */
const TIMEOUT_MS = 30_000;
const ANSWER_MAX_BYTES = 1024 * 1024;
const JOSE = 'application/jose';
/** Within the header of a JWT or a JWE, which is no secret. */
const SHOWN_CHARS = 24;
const HEADERS_OF_INTEREST = [
  'content-type',
  'timestamp',
  'idempotent-replayed',
  'x-request-id',
  'retry-after',
  'location',
] as const;
/** An answer that is no JSON is shown this far. */
const TEXT_SHOWN = 2_000;

/** Sends the call and waits for the whole answer. Rejects when there is none, or none in time. */
export const exchange = (outgoing: Outgoing, clock: Clock): Promise<Incoming> =>
  transmit(
    {
      method: 'POST',
      url: outgoing.url,
      headers: headersOf(outgoing, `Bearer ${outgoing.token.reveal()}`),
      body: outgoing.jwe ?? JSON.stringify(outgoing.body.reveal()),
    },
    clock,
  );

/** Sends a request and waits for the whole answer. Rejects when there is none, or none in time. */
export async function transmit({ method, url, headers, body }: Sending, clock: Clock): Promise<Incoming> {
  const startedMs = clock.monotonicMs();
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = open(url, { method, headers });
  const stopWaiting = clock.after(TIMEOUT_MS, () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
  try {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
      request.end(body);
    });
    return {
      status: message.statusCode ?? 0,
      reason: message.statusMessage ?? '',
      headers: message.headers,
      text: await readText(message),
      tookMs: clock.monotonicMs() - startedMs,
    };
  } finally {
    stopWaiting();
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > ANSWER_MAX_BYTES) throw new Error(`the answer is longer than ${ANSWER_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const headersOf = ({ jwe, timestamp, tranId }: Outgoing, authorization: string): Readonly<Record<string, string>> => ({
  authorization,
  'content-type': jwe === undefined ? 'application/json' : JOSE,
  timestamp,
  'idempotency-key': tranId,
});

/** What goes out, as lines to print. */
export function showOutgoing(outgoing: Outgoing): string {
  const { url, tokenShown, body, jwe } = outgoing;
  const headers = Object.entries(headersOf(outgoing, `Bearer ${tokenShown}`)).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const text = pretty(body.reveal());
  return [`POST ${url.href}`, ...headers, '', jwe === undefined ? text : inEnvelope(jwe, text)].join('\n');
}

/** Whether the answer is an envelope (RFC 7516, 7.1). */
export const isEnvelope = ({ headers }: Incoming): boolean =>
  /^application\/jose *(;|$)/i.test(headers['content-type'] ?? '');

/** What came back, as lines to print; `opened` is what was in its envelope. */
export function showIncoming({ status, reason, headers, text, tookMs }: Incoming, opened?: string): string {
  const shown = HEADERS_OF_INTEREST.flatMap(name => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  const body = opened === undefined ? readable(text) : inEnvelope(text, readable(opened));
  return [`HTTP ${status} ${reason} in ${tookMs.toFixed(1)} ms`, ...shown, '', body].join('\n');
}

const inEnvelope = (jwe: string, text: string): string => `${shortened(jwe)}, in it:\n\n${text}`;

/** So much of a token or an envelope that it is recognised, and too little to be used. */
export const shortened = (text: string): string => `${text.slice(0, SHOWN_CHARS)}... (${text.length} characters)`;

function readable(text: string): string {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text.slice(0, TEXT_SHOWN).replace(/\d{12,19}/g, maskPan);
  }
}

/** `JSON.stringify` asks for every value at every depth, so nothing in a list of records escapes it. */
export const pretty = (value: unknown): string =>
  JSON.stringify(
    value,
    (name, inner: unknown) => {
      const data = isFieldName(name) ? fieldRow(name).data : undefined;
      if (data === 'sad') return '[hidden]';
      return data === 'pan' && typeof inner === 'string' ? maskPan(inner) : inner;
    },
    2,
  );
