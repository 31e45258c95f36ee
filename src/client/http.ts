/**
 * One HTTP request over the port that every runtime has, `fetch`: limited in time and size, redirects not followed. What
 * goes wrong is a code of a closed form, and whether the request may have arrived all the same.
 */
import type { Clock } from './system.ts';

/** `fetch`, or what stands for it: a proxy, a client certificate, a test. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type Request = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Limits = {
  readonly timeoutMs: number;
  /** The caller waits no longer. */
  readonly signal?: AbortSignal | undefined;
};

export type Received = {
  readonly kind: 'received';
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** `code`: `TIMEOUT`, `ABORTED`, `TOO_LONG`, or what the runtime calls it, such as `ECONNREFUSED`. */
export type Failed = { readonly kind: 'failed'; readonly code: string; readonly mayHaveArrived: boolean };

export interface Http {
  /** Never rejects. */
  send(request: Request, limits: Limits): Promise<Received | Failed>;
}

/** A page of a hundred records in an envelope has a tenth of this. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** What is known to go wrong before a byte of the request leaves: no address, no connection, no trusted certificate. */
const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_CERT.*|DEPTH_ZERO.*|SELF_SIGNED.*|UNABLE_TO_.*)$/;
/** Nothing but such a code is told: a message could quote what was sent. */
const CODE_FORM = /^[A-Z][A-Z0-9_]{2,63}$/;

export const httpOver = (fetch: Fetch, clock: Clock): Http => ({
  send: async (request, { timeoutMs, signal }) => {
    if (signal?.aborted) return { kind: 'failed', code: 'ABORTED', mayHaveArrived: false };
    const ending = new AbortController();
    let ended = 'TIMEOUT';
    const giveUp = () => {
      ended = 'ABORTED';
      ending.abort();
    };
    const cancel = clock.after(timeoutMs, () => ending.abort());
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const { url, ...init } = request;
      const response = await fetch(url, { ...init, redirect: 'manual', signal: ending.signal });
      const text = await textOf(response);
      if (text === undefined) return { kind: 'failed', code: 'TOO_LONG', mayHaveArrived: true };
      return { kind: 'received', status: response.status, headers: response.headers, text };
    } catch (error) {
      const code = ending.signal.aborted ? ended : codeOf(error);
      return { kind: 'failed', code, mayHaveArrived: !BEFORE_SENDING.test(code) };
    } finally {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  },
});

/** The body as text; undefined where it is longer than any answer. */
async function textOf({ body }: Response): Promise<string | undefined> {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(joined(chunks, size));
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** `fetch` hides the reason in `cause`, and where a name has several addresses, once more in `errors`. */
function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; depth += 1, at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && CODE_FORM.test(at.code)) return at.code;
  }
  return 'FAILED';
}

/** The JSON object in the text; undefined where it is none. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
