/**
 * Reading one request body: whole, counted byte by byte, and only when somebody asks for it, which is after the caller
 * has been authenticated. It ends in the bytes or in a `Refusal('http')`, whatever the client does to the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BODY_BYTES_MAX } from '../config/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import { JWE_BYTES_MAX } from '../edge/jwe.ts';
import { TOKEN_REQUEST_BYTES_MAX } from '../edge/tokenEndpoint.ts';
import type { Payload } from './journey.ts';
import type { Head } from './requestHead.ts';

type Kind = {
  readonly bytesMost: number;
  /** What is said of another media type; absent where somebody else looks at it. */
  readonly mediaType?: { readonly form: RegExp; readonly required: boolean; readonly rule: string };
};

/** The bodies that there are. */
const KINDS: Readonly<Record<Payload | 'tokenRequest', Kind>> = {
  plain: {
    bytesMost: BODY_BYTES_MAX,
    mediaType: {
      form: /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i,
      required: false,
      rule: 'must be application/json, in UTF-8',
    },
  },
  encrypted: {
    bytesMost: JWE_BYTES_MAX,
    mediaType: { form: /^application\/jose$/i, required: true, rule: 'must be application/jose' },
  },
  tokenRequest: { bytesMost: TOKEN_REQUEST_BYTES_MAX },
};

/** The two ends of the promise of a body. */
type Reading = {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (refusal: Refusal) => void;
};

const refuse = (field: string, reason: string): Refusal => new Refusal('http', [{ field, reason }]);
const tooLarge = (bytesMost: number): Refusal => refuse('body', `must be at most ${bytesMost} bytes`);
const cutShort = (): Refusal => refuse('body', 'must be sent completely');

const joined = (chunks: readonly Buffer[]): Buffer => {
  const [only] = chunks;
  return chunks.length === 1 && only ? only : Buffer.concat(chunks);
};

export class InboundBody {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #head: Head;
  readonly #awaitsContinue: boolean;
  #reading: Promise<Uint8Array> | undefined;
  #fail: ((refusal: Refusal) => void) | undefined;
  #broken = false;

  /** `awaitsContinue`: the client sends the body only after our `100 Continue` (RFC 9110, 10.1.1). */
  constructor(incoming: IncomingMessage, outgoing: ServerResponse, head: Head, awaitsContinue: boolean) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#head = head;
    this.#awaitsContinue = awaitsContinue;
  }

  /** The whole body. Rejects with `Refusal('http')`; a second call gives what the first gave. */
  read(kind: keyof typeof KINDS): Promise<Uint8Array> {
    this.#reading ??= new Promise((resolve, reject) => this.#read(KINDS[kind], { resolve, reject }));
    return this.#reading;
  }

  /** No more of the body can come: the parser gave up on it, or its time is over. */
  break(): void {
    this.#broken = true;
    this.#fail?.(cutShort());
  }

  /**
   * Whether what has not been read of the body is certain to be small, so that Node may read it off and keep the
   * connection; else the connection has to end with the answer.
   */
  restIsSmall(): boolean {
    if (this.#incoming.complete) return true;
    if (this.#broken || this.#head['transfer-encoding'] !== undefined) return false;
    if (this.#awaitsContinue && this.#reading === undefined) return false;
    return Number(this.#head['content-length'] ?? 0) <= BODY_BYTES_MAX;
  }

  /** What is thrown here rejects the reading as well. */
  #read({ mediaType, bytesMost }: Kind, reading: Reading): void {
    const type = this.#head['content-type'] ?? (mediaType?.required ? '' : undefined);
    if (mediaType && type !== undefined && !mediaType.form.test(type)) throw refuse('content-type', mediaType.rule);
    const encoding = this.#head['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw refuse('content-encoding', 'must be absent');
    }
    if (Number(this.#head['content-length'] ?? 0) > bytesMost) throw tooLarge(bytesMost);
    if (this.#broken) throw cutShort();
    if (this.#awaitsContinue) this.#outgoing.writeContinue();
    // Who had to wait for its turn has often sent all of it by now: then there is nothing to listen for.
    if (this.#incoming.complete) {
      const body = this.#rest();
      if (body.length > bytesMost) throw tooLarge(bytesMost);
      reading.resolve(body);
    } else this.#collect(bytesMost, reading);
  }

  /** What has come and was not handed over yet; Node gives it piece by piece. */
  #rest(): Buffer {
    const chunks: Buffer[] = [];
    for (let chunk: Buffer | null = this.#incoming.read(); chunk; chunk = this.#incoming.read()) chunks.push(chunk);
    return joined(chunks);
  }

  #collect(bytesMost: number, { resolve, reject }: Reading): void {
    const incoming = this.#incoming;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isOver = false;
    const fail = (refusal: Refusal) => {
      if (isOver) return;
      isOver = true;
      incoming.pause();
      reject(refusal);
    };
    const onEnd = () => {
      isOver = true;
      resolve(joined(chunks));
    };
    const onData = (chunk: Buffer) => {
      if (isOver) return;
      bytes += chunk.length;
      if (bytes > bytesMost) fail(tooLarge(bytesMost));
      else chunks.push(chunk);
    };
    const onClose = () => {
      if (isOver) return;
      // A client that hung up right after its last byte has sent a whole request: the rest is still buffered here.
      if (!incoming.complete) return fail(cutShort());
      onData(this.#rest());
      if (!isOver) onEnd();
    };
    this.#fail = fail;
    if (incoming.destroyed) onClose();
    // They stay, and do nothing any more: that is cheaper than to take them off. An error closes, too.
    else incoming.on('data', onData).on('end', onEnd).on('close', onClose);
  }
}
