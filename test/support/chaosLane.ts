/**
 * One direction of one proxied connection: a short queue between two sockets that passes bytes on at once, later, in
 * slices, only so many, or not for now.
 */
import type { Socket } from 'node:net';

export type LaneMode =
  | { readonly kind: 'pass' | 'hold' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number };

/** Past this the source is not read any further, so that a held connection takes no more memory than a real one. */
const HELD_BYTES_MAX = 1024 * 1024;

type Piece = { readonly bytes: Buffer; readonly at: number };

export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #reset: () => void;
  #mode: LaneMode = { kind: 'pass' };
  #queue: Piece[] = [];
  #held = 0;
  /** Bytes that may still pass while the mode is `cut`. */
  #left = Number.POSITIVE_INFINITY;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param reset breaks the whole connection. */
  constructor(from: Socket, to: Socket, reset: () => void) {
    this.#from = from;
    this.#to = to;
    this.#reset = reset;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.#move();
    });
    from.on('close', () => clearTimeout(this.#timer));
  }

  /** Bytes read and not passed on. */
  get held(): number {
    return this.#held;
  }

  set(mode: LaneMode): void {
    this.#mode = mode;
    this.#left = mode.kind === 'cut' ? mode.bytes : Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#move();
  }

  #take(bytes: Buffer): void {
    this.#queue.push({ bytes, at: performance.now() });
    this.#held += bytes.length;
    if (this.#held > HELD_BYTES_MAX) this.#from.pause();
    this.#move();
  }

  /** Passes on what may go now; what may go later sets the timer and comes back here. */
  #move(): void {
    while (this.#timer === undefined && this.#mode.kind !== 'hold') {
      const [piece] = this.#queue;
      if (!piece) break;
      this.#step(piece, this.#mode);
    }
    if (this.#ended && this.#queue.length === 0) this.#to.end();
  }

  #step({ bytes, at }: Piece, mode: LaneMode): void {
    const waitMs = mode.kind === 'delay' ? at + mode.ms - performance.now() : 0;
    if (waitMs > 0) {
      this.#later(waitMs);
    } else if (this.#left < bytes.length) {
      this.#cut(bytes.subarray(0, this.#left));
    } else {
      this.#left -= bytes.length;
      this.#pass(mode.kind === 'drip' ? mode.bytes : bytes.length);
      if (mode.kind === 'drip') this.#later(mode.everyMs);
    }
  }

  /** Writes the first `length` bytes of the first piece and takes them out of the queue. */
  #pass(length: number): void {
    const [piece] = this.#queue;
    if (!piece) return;
    const slice = piece.bytes.subarray(0, length);
    const rest = piece.bytes.subarray(length);
    this.#queue = rest.length === 0 ? this.#queue.slice(1) : [{ bytes: rest, at: piece.at }, ...this.#queue.slice(1)];
    this.#held -= slice.length;
    this.#to.write(slice);
    if (this.#held <= HELD_BYTES_MAX) this.#from.resume();
  }

  #cut(last: Buffer): void {
    this.#queue = [];
    this.#held = 0;
    if (last.length === 0) this.#reset();
    else this.#to.write(last, () => this.#reset());
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#move();
    }, ms);
  }
}
