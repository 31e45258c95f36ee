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

const ID_BYTES = 16;
const FRACTION_STEPS = 2 ** 47;
/** Asked of the system at once: one asking costs as much for these as for a few, and a call needs six times a few. */
const STOCK_BYTES = 4096;

/** Bytes of `draw`, which is asked for a stock of them at a time. None is ever given out twice. */
export const createStock = (draw: SecretBytes): SecretBytes => {
  let stock: Buffer = Buffer.alloc(0);
  return count => {
    if (count > STOCK_BYTES) return draw(count);
    if (count > stock.length) stock = draw(STOCK_BYTES);
    const taken = stock.subarray(0, count);
    stock = stock.subarray(count);
    return taken;
  };
};

export const systemSecretBytes: SecretBytes = createStock(randomBytes);

export const systemRandom: Random = {
  id: () => systemSecretBytes(ID_BYTES).toString('base64url'),
  fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
};
