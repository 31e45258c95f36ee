/**
 * Sends bytes on a connection of its own, in pieces, and takes what comes back apart into whole HTTP answers, so that one
 * answer too many, or a byte behind the last one, is seen.
 */
import { connect } from 'node:net';
import { waitFor } from '../support/waitFor.ts';

export type Delivery = {
  /** Where the bytes are cut: each piece is a write of its own, and the next one waits for a turn of the loop. */
  readonly cuts: readonly number[];
  /** `stay` waits for the server to end the connection, `halfClose` sends FIN after the bytes, `reset` RST. */
  readonly end: 'stay' | 'halfClose' | 'reset';
  /** Called when all bytes were handed to the system, which keeps them for a server that does not read. */
  readonly onSent?: () => void;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

export type Heard = {
  /** In order, `100 Continue` left out. */
  readonly answers: readonly HttpAnswer[];
  /** What stands behind the last whole answer. */
  readonly rest: string;
};

/** Longer than the server's own limits on slow requests, on a busy machine too. */
const CLOSED_MS = 40_000;

const OPENING_BRACE = 0x7b;

/** @param heads for each answer in order, whether it is to a HEAD request, and so without a body. */
export async function exchangeRaw(
  port: number,
  text: string,
  { cuts, end, onSent }: Delivery,
  heads: readonly boolean[],
): Promise<Heard> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A reset is one way to refuse.
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    closed = true;
  });
  await waitFor('the connection', () => !socket.connecting);
  for (const piece of piecesOf(Buffer.from(text, 'latin1'), cuts)) {
    if (socket.writable) socket.write(piece);
    await new Promise<void>(resolve => setImmediate(resolve));
  }
  if (onSent) socket.write('', onSent);
  if (end === 'halfClose') socket.end();
  if (end === 'reset') socket.resetAndDestroy();
  try {
    await waitFor('the end of the connection', () => closed, { timeoutMs: CLOSED_MS, everyMs: 5 });
  } finally {
    socket.destroy();
  }
  return answersIn(Buffer.concat(chunks), heads);
}

const piecesOf = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
};

function answersIn(bytes: Buffer, heads: readonly boolean[]): Heard {
  const answers: HttpAnswer[] = [];
  let at = 0;
  for (;;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `)?.[1]);
    const headers = new Map(lines.map(headerOf));
    // A HEAD that could not be read as HTTP is answered like anything that could not.
    const isBare = heads[answers.length] && bytes[headEnd + 4] !== OPENING_BRACE;
    const hasBody = status !== 100 && !isBare;
    const end = headEnd + 4 + (hasBody ? Number(headers.get('content-length') ?? 0) : 0);
    if (Number.isNaN(status) || end > bytes.length) break;
    if (status !== 100) answers.push({ status, headers, body: bytes.toString('utf8', headEnd + 4, end) });
    at = end;
  }
  return { answers, rest: bytes.toString('latin1', at) };
}

const headerOf = (line: string): readonly [string, string] => {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
};
