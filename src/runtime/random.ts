/**
 * Chance as a port, so that runs replay: owner tokens, request ids, jitter. The system's is cryptographic.
 */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** A fresh id of 128 bits, 22 characters of base64url. */
  id(): string;
  /** Uniform in [0, 1). For jitter, not for secrets. */
  fraction(): number;
}

/** So many bytes that nobody can guess: keys and initialisation vectors. They are the caller's alone. */
export type SecretBytes = (count: number) => Buffer;

const FRACTION_STEPS = 2 ** 47;
/** Asked of the system at once, a multiple of an id: one asking costs as much for these as for a few, of which a call needs six. */
const STOCK_BYTES = 4096;

/** Bytes of `draw`, which is asked for a stock of them at a time. None is ever given out twice. */
export const createStock = (draw: SecretBytes): SecretBytes => {
  let stock: Buffer = Buffer.alloc(0);
  let from = 0;
  return count => {
    if (count > STOCK_BYTES) return draw(count);
    if (from + count > stock.length) {
      stock = draw(STOCK_BYTES);
      from = 0;
    }
    from += count;
    return stock.subarray(from - count, from);
  };
};

const ID_BYTES = 16;

/** Ids of the bytes of `draw`, read out of the middle of a stock of their own: that costs half of taking them out first. */
export const createIds = (draw: SecretBytes): (() => string) => {
  let stock: Buffer = Buffer.alloc(0);
  let from = 0;
  return () => {
    if (from === stock.length) {
      stock = draw(STOCK_BYTES);
      from = 0;
    }
    from += ID_BYTES;
    return stock.toString('base64url', from - ID_BYTES, from);
  };
};

export const systemSecretBytes: SecretBytes = createStock(randomBytes);

export const systemRandom: Random = {
  id: createIds(randomBytes),
  fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
};
