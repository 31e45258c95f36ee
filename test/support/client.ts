/**
 * Calls a gateway as a client does: over HTTP with the header fields filled in, or with raw bytes where the point is
 * that no proper client would send them.
 */
import { randomBytes } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { API_PATHS, type ApiName } from './apiPaths.ts';

/** What of a gateway a client needs; a `Gateway` is one. */
export type Callee = {
  /** Address with the base path, such as `http://127.0.0.1:20001/card-api`. */
  readonly url: string;
  readonly token: string;
  readonly participantId: string;
};

export type CallOptions = {
  /** Default: a fresh one. */
  readonly tranId?: string;
  /** Replaces or adds headers; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Replaces the bearer token. */
  readonly token?: string;
  /** Gives up and closes the connection: the client that hangs up. */
  readonly signal?: AbortSignal;
  /** The body as it is, instead of one made from the fields. */
  readonly rawBody?: string | Uint8Array;
  /** How long to wait for the answer; default 20 s. */
  readonly timeoutMs?: number;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The JSON object of the body; empty where it is none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The `tranId` that was sent. */
  readonly tranId: string;
  /** From the first byte sent to the last received. */
  readonly ms: number;
};

/** Values of fields; undefined leaves one out. */
export type Fields = Readonly<Record<string, unknown>>;

const agent = new Agent({ keepAlive: true, maxSockets: 512 });
const TIMEOUT_MS = 20_000;

/** A fresh `tranId` of 20 characters. */
export const newTranId = (): string => `T${randomBytes(14).toString('base64url').replace(/^[-_]/, 'x')}`;

/** The nine public header fields, dated now in UTC. */
export function headerFields(participantId: string, tranId: string): Record<string, string> {
  const now = new Date().toISOString();
  return {
    participantId,
    tranBranch: '000001',
    tranChnl: '08',
    tranCode: 'TEST',
    tranDate: now.slice(0, 10).replaceAll('-', ''),
    tranTime: now.slice(11, 19).replaceAll(':', ''),
    tranId,
    tellerNo: 'T1',
    terminalNo: 'POS1',
  };
}

/** The body of a call: the nine header fields and the API's own; own fields win. */
export function bodyOf(callee: Callee, fields: Fields, tranId: string): Fields {
  return { ...headerFields(callee.participantId, tranId), ...fields };
}

/**
 * Makes one call and reads the whole answer, whatever its status.
 *
 * @throws Error when there is no answer: refused, reset, cut short, timed out, given up.
 */
export async function call(callee: Callee, api: ApiName, fields: Fields, options: CallOptions = {}): Promise<Answer> {
  const tranId = options.tranId ?? newTranId();
  const body = options.rawBody ?? JSON.stringify(bodyOf(callee, fields, tranId));
  const answer = await post(`${callee.url}${API_PATHS[api]}`, body, {
    ...options,
    headers: {
      authorization: `Bearer ${options.token ?? callee.token}`,
      timestamp: String(Date.now()),
      'content-type': 'application/json',
      ...options.headers,
    },
  });
  return { ...answer, tranId };
}

/** Posts a body to any address. */
export function post(url: string, body: string | Uint8Array, options: CallOptions = {}): Promise<Answer> {
  return exchange(url, 'POST', body, options);
}

/** Gets any address, such as the admin port's `/metrics`. */
export function get(url: string, options: CallOptions = {}): Promise<Answer> {
  return exchange(url, 'GET', undefined, options);
}

function exchange(
  url: string,
  method: string,
  body: string | Uint8Array | undefined,
  { headers = {}, signal, timeoutMs = TIMEOUT_MS }: CallOptions,
): Promise<Answer> {
  const limit = AbortSignal.timeout(timeoutMs);
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, {
      method,
      agent,
      headers: { ...length, ...defined(headers) },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    sent.on('error', reject);
    sent.on('response', response => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, headers: received, text, body: objectOf(text), tranId: '', ms: performance.now() - start });
      });
    });
    sent.end(body);
  });
}

function defined(headers: NonNullable<CallOptions['headers']>): OutgoingHttpHeaders {
  const kept = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as OutgoingHttpHeaders;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

export type RawOptions = {
  /** `response` (default): until one whole HTTP response is there; `close`: until the other side ends the connection. */
  readonly until?: 'response' | 'close';
  /** Sends FIN right after the bytes. */
  readonly halfClose?: boolean;
  readonly timeoutMs?: number;
};

export type RawAnswer = {
  readonly text: string;
  /** Status of the first response; 0 where there was none. */
  readonly status: number;
  /** How it ended: the response was whole, the other side closed or reset, or time was up. */
  readonly end: 'response' | 'closed' | 'reset' | 'timeout';
};

/** Sends bytes to a port and reads what comes back. Strings are sent as Latin-1, so that any byte can be written. */
export function rawRequest(port: number, bytes: string | Uint8Array, options: RawOptions = {}): Promise<RawAnswer> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const end = (how: RawAnswer['end']) => {
      clearTimeout(late);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), end: how });
    };
    const late = setTimeout(() => end('timeout'), options.timeoutMs ?? TIMEOUT_MS);
    socket.on('error', () => end('reset'));
    socket.on('end', () => end('closed'));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if ((options.until ?? 'response') === 'response' && isWhole(Buffer.concat(chunks))) end('response');
    });
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    if (options.halfClose) socket.end(data);
    else socket.write(data);
  });
}

/** Whether the bytes hold a response with its whole body, by `Content-Length`; chunked ones are read until the close. */
function isWhole(bytes: Buffer): boolean {
  const headerEnd = bytes.indexOf('\r\n\r\n');
  if (headerEnd < 0) return false;
  const length = /^content-length: *(\d+)\r$/im.exec(`${bytes.toString('latin1', 0, headerEnd)}\r`)?.[1];
  return length !== undefined && bytes.length >= headerEnd + 4 + Number(length);
}
