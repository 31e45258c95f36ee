/**
 * Shows what goes over the wire as a person reads it: it stands in the place of the client's `fetch` and prints what goes
 * out and what comes back, with tokens and envelopes shortened, card numbers masked and CVV2, PIN blocks and the like hidden.
 */
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import type { Fetch } from '../client/client.ts';
import { maskPan } from '../domain/card.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';

/** A request as the client makes it: its headers are a plain object, its body a text. */
export type Outgoing = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Incoming = {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly text: string;
  readonly tookMs: number;
};

/** How one kind of request is shown; undefined: not at all. */
export type Shown = {
  readonly outgoing: string | undefined;
  /** `opened`: what was in the envelope of the answer. */
  readonly incoming: (incoming: Incoming, opened?: string) => string;
};

export type WireOptions = {
  readonly clock: Clock;
  readonly print: (text: string) => void;
  readonly show: (outgoing: Outgoing) => Shown;
};

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

type Pending = { readonly shown: Shown; readonly incoming: () => Incoming };

/** One line between a client and the network, printed as it is used. */
export class ShownWire {
  readonly #options: WireOptions;
  /** The answer that came last: it is printed once it is known what was in it. */
  #pending: Pending | undefined;
  #silentUrl: string | undefined;
  #begun = false;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** The address that did not answer the last request. */
  get silentUrl(): string | undefined {
    return this.#silentUrl;
  }

  readonly fetch: Fetch = async (url, init) => {
    const { clock, print, show } = this.#options;
    this.flush();
    const outgoing = outgoingOf(url, init);
    const shown = show(outgoing);
    if (shown.outgoing !== undefined) print((this.#begun ? '\n' : '') + shown.outgoing);
    this.#begun = true;
    const startedMs = clock.monotonicMs();
    this.#silentUrl = url;
    const response = await fetch(url, init);
    const chunks: Uint8Array[] = [];
    let endedMs = startedMs;
    const noted = response.body?.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (chunk, controller) => {
          chunks.push(chunk);
          controller.enqueue(chunk);
        },
        flush: () => {
          this.#silentUrl = undefined;
          endedMs = clock.monotonicMs();
        },
      }),
    );
    const { status, statusText: reason, headers } = response;
    const textOf = () => Buffer.concat(chunks).toString('utf8');
    this.#pending = {
      shown,
      incoming: () => ({ status, reason, headers, text: textOf(), tookMs: endedMs - startedMs }),
    };
    return new Response(noted ?? null, { status, statusText: reason, headers });
  };

  /** Prints the answer that came last; tells its status. */
  flush(opened?: string): number | undefined {
    if (!this.#pending) return undefined;
    const { shown, incoming } = this.#pending;
    this.#pending = undefined;
    const answer = incoming();
    this.#options.print(`\n${shown.incoming(answer, opened)}`);
    return answer.status;
  }
}

function outgoingOf(url: string, { method = 'GET', headers, body }: RequestInit): Outgoing {
  const text = typeof body === 'string' ? body : '';
  return { method, url, headers: Object.fromEntries(new Headers(headers)), body: text };
}

/** A call of an API; `body` is what is sent, inside its envelope where there is one. */
export function showCall(
  { method, url, headers, body }: Outgoing,
  options: { readonly tokenShown: string; readonly body: Secret<Readonly<Record<string, unknown>>> },
): string {
  const shown = { ...headers, authorization: `Bearer ${options.tokenShown}` };
  const order = ['authorization', 'content-type', 'timestamp', 'idempotency-key'] as const;
  const lines = order.map(name => `${name}: ${Reflect.get(shown, name)}`);
  const text = pretty(options.body.reveal());
  const sealed = headers['content-type'] === 'application/jose';
  return [`${method} ${url}`, ...lines, '', sealed ? inEnvelope(body, text) : text].join('\n');
}

/** What came back, as lines to print; `opened` is what was in its envelope. */
export function showIncoming({ status, reason, headers, text, tookMs }: Incoming, opened?: string): string {
  const shown = HEADERS_OF_INTEREST.flatMap(name => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []));
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
