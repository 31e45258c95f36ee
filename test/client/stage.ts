/**
 * A gateway that a test writes the answers of, in the place of the client's `fetch`, and a clock on which a pause is over at
 * once but counts in full. What was sent, and how long the client paused, is noted.
 */
import { type Client, type ClientOptions, type Clock, createClient, type Random } from '../../src/client/client.ts';

export const TOKEN = 'opaque-token-of-the-client';
export const BASE = 'https://one.example/card-api';
export const OTHER = 'https://two.example/card-api';

export type Sent = {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  readonly redirect: RequestInit['redirect'];
};
/** What a request meets: an answer, or an error as `fetch` throws it. */
export type Meets = (sent: Sent, number: number) => Response | Error | Promise<Response>;

/** How `fetch` says that a connection failed. */
export const broken = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('secret detail'), { code }) });

type Answered = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: object };

/** An answer to what was sent: an approval, unless it is told otherwise. */
export function answer(sent: Sent, { status = 200, headers = {}, body = {} }: Answered = {}): Response {
  const { participantId, tranId } = sent.body;
  const text = JSON.stringify({ participantId, tranId, responseCode: '00', responseDesc: 'approved', ...body });
  return new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } });
}

export const withCode = (sent: Sent, responseCode: string, status = 200, headers = {}): Response =>
  answer(sent, { status, headers, body: { responseCode, responseDesc: 'told' } });

/** Longer than any pause of the client, so that a limit can be told from a pause. */
const TIMEOUT_MS = 9000;

export class Stage {
  readonly sent: Sent[] = [];
  /** How long each pause was. */
  readonly pauses: number[] = [];
  /** Whether time limits end at once, too. */
  late = false;
  #nowMs = 0;
  #ids = 0;
  readonly #meets: Meets;

  constructor(meets: Meets) {
    this.#meets = meets;
  }

  readonly clock: Clock = {
    wallMs: () => 1_800_000_000_000 + this.#nowMs,
    monotonicMs: () => this.#nowMs,
    after: (ms, run) => {
      const isLimit = ms >= TIMEOUT_MS;
      if (isLimit && !this.late) return () => {};
      let cancelled = false;
      setImmediate(() => {
        if (cancelled) return;
        this.#nowMs += ms;
        if (!isLimit) this.pauses.push(ms);
        run();
      });
      return () => {
        cancelled = true;
      };
    },
  };

  /** Pauses are half as long as they may be; ids are counted. */
  readonly random: Random = {
    id: () => {
      this.#ids += 1;
      return `id-${this.#ids}`;
    },
    fraction: () => 0.5,
  };

  readonly fetch = async (url: string, { headers, body, redirect, signal }: RequestInit): Promise<Response> => {
    const text = typeof body === 'string' ? body : '{}';
    const sent: Sent = { url, headers: new Headers(headers), body: JSON.parse(text), redirect };
    this.sent.push(sent);
    const met = this.#meets(sent, this.sent.length);
    if (met instanceof Error) throw met;
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(new DOMException('aborted', 'AbortError'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    return Promise.race([met, promise]);
  };

  client(changes: Partial<Omit<ClientOptions, 'bearer' | 'oauth'>> = {}): Promise<Client> {
    return createClient({
      sites: [BASE],
      header: { participantId: '100000', tranBranch: '000001', tranChnl: '08' },
      bearer: TOKEN,
      timeoutMs: TIMEOUT_MS,
      fetch: this.fetch,
      clock: this.clock,
      random: this.random,
      ...changes,
    });
  }
}

export const PURCHASE = { cardToken: 'card-1', tranAmount: '12.50', tranCurrency: '840' } as const;
