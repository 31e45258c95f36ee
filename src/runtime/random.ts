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

const FRACTION_STEPS = 2 ** 47;

export const systemRandom: Random = {
  id: () => randomBytes(16).toString('base64url'),
  fraction: () => randomInt(FRACTION_STEPS) / FRACTION_STEPS,
};
