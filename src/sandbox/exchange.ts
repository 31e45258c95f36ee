/**
 * Sends one call and shows the exchange as a person reads it: what went out and what came back, with the token left
 * out, card numbers masked and CVV2, PIN blocks and the like hidden.
 */
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import { maskPan } from '../domain/card.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';

export type Outgoing = {
  readonly url: URL;
  readonly token: Secret<string>;
  /** Whose token it is, for the print. */
  readonly clientId: string;
  readonly tranId: string;
  /** UNIX milliseconds. */
  readonly timestamp: string;
  readonly body: Secret<Readonly<Record<string, string>>>;
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
const HEADERS_OF_INTEREST = ['timestamp', 'idempotent-replayed', 'x-request-id', 'retry-after', 'location'] as const;
/** An answer that is no JSON is shown this far. */
const TEXT_SHOWN = 2_000;

/** Sends the call and waits for the whole answer. Rejects when there is none, or none in time. */
export async function exchange(outgoing: Outgoing, clock: Clock): Promise<Incoming> {
  const startedMs = clock.monotonicMs();
  const request = open(outgoing);
  const stopWaiting = clock.after(TIMEOUT_MS, () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
  try {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
      request.end(JSON.stringify(outgoing.body.reveal()));
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

function open({ url, token, tranId, timestamp }: Outgoing): ClientRequest {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return send(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token.reveal()}`,
      'content-type': 'application/json',
      timestamp,
      'idempotency-key': tranId,
    },
  });
}

/** What goes out, as lines to print. */
export function showOutgoing({ url, clientId, tranId, timestamp, body }: Outgoing): string {
  return [
    `POST ${url.href}`,
    `authorization: Bearer [token of ${clientId}]`,
    'content-type: application/json',
    `timestamp: ${timestamp}`,
    `idempotency-key: ${tranId}`,
    '',
    pretty(body.reveal()),
  ].join('\n');
}

/** What came back, as lines to print. */
export function showIncoming({ status, reason, headers, text, tookMs }: Incoming): string {
  const shown = HEADERS_OF_INTEREST.flatMap(name => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  return [`HTTP ${status} ${reason} in ${tookMs.toFixed(1)} ms`, ...shown, '', readable(text)].join('\n');
}

function readable(text: string): string {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text.slice(0, TEXT_SHOWN).replace(/\d{12,19}/g, maskPan);
  }
}

/** `JSON.stringify` asks for every value at every depth, so nothing in a list of records escapes it. */
const pretty = (value: unknown): string =>
  JSON.stringify(
    value,
    (name, inner: unknown) => {
      const data = isFieldName(name) ? fieldRow(name).data : undefined;
      if (data === 'sad') return '[hidden]';
      return data === 'pan' && typeof inner === 'string' ? maskPan(inner) : inner;
    },
    2,
  );
