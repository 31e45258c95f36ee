/**
 * One TCP connection to the server under test, byte by byte: what no HTTP client would send can be sent, and every
 * answer is read exactly as it came.
 */
import { connect, type Socket } from 'node:net';
import { waitFor } from '../support/waitFor.ts';

export type Reply = {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

export class Wire {
  readonly socket: Socket;
  readonly #arrived: Buffer[] = [];
  #received = Buffer.alloc(0);
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#arrived.push(chunk);
    });
    // A reset is one way for a connection to end.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1' });
    const wire = new Wire(socket);
    await waitFor('the connection', () => !socket.connecting);
    return wire;
  }

  get received(): string {
    this.#gather();
    return this.#received.toString('latin1');
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'));
  }

  /** Takes the next whole answer off what was received; `100 Continue` is an answer too. */
  async next(what = 'an answer', headOnly = false): Promise<Reply> {
    const reply = await waitFor(what, () => this.#take(headOnly) ?? (this.#closed ? 'closed' : undefined));
    if (reply === 'closed') throw new Error(`closed instead of ${what}, after ${JSON.stringify(this.received)}`);
    return reply;
  }

  async closed(): Promise<void> {
    await waitFor('the end of the connection', () => this.#closed);
  }

  end(): void {
    this.socket.destroy();
  }

  #gather(): void {
    if (this.#arrived.length > 0) this.#received = Buffer.concat([this.#received, ...this.#arrived.splice(0)]);
  }

  #take(headOnly: boolean): Reply | undefined {
    this.#gather();
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.subarray(0, headEnd).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map(line => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const bodyEnd = headEnd + 4 + (headOnly ? 0 : Number(headers.get('content-length') ?? 0));
    if (this.#received.length < bodyEnd) return undefined;
    const body = this.#received.subarray(headEnd + 4, bodyEnd).toString('utf8');
    this.#received = this.#received.subarray(bodyEnd);
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }
}

/** Sends one text on a connection of its own, and gives the first answer; undefined where the connection just ended. */
export const exchange = async (port: number, text: string): Promise<Reply | undefined> => {
  const wire = await Wire.open(port);
  wire.send(text);
  try {
    await waitFor('an answer or the end', () => wire.isClosed || wire.received.includes('\r\n\r\n'));
    return wire.received === '' ? undefined : await wire.next();
  } finally {
    wire.end();
  }
};
