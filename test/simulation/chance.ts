/**
 * Seeded chance. Every purpose has a stream of its own, drawn from the seed and the purpose's name, so that turning one
 * fault off does not change what all the others do: that is what lets the options of a failing seed be shrunk.
 */
import { hash } from 'node:crypto';
import type { Random } from '../../src/runtime/random.ts';

export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, purpose: string) {
    const digest = hash('sha256', `${seed}/${purpose}`, 'buffer');
    this.#a = digest.readUInt32LE(0);
    this.#b = digest.readUInt32LE(4);
    this.#c = digest.readUInt32LE(8);
  }

  /** Uniform in [0, 1): the generator sfc32 (Chris Doty-Humphrey, PractRand). */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** True with this probability. */
  hits(rate: number): boolean {
    return this.fraction() < rate;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  /** Mostly small: waits and sizes are spread over orders of magnitude. */
  skewed(least: number, most: number): number {
    return least * (most / least) ** this.fraction();
  }

  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.fraction() * from.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }

  /** One of the names, in proportion to its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const all = Object.entries<number>(weights) as [Name, number][];
    let left = this.fraction() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error('nothing to pick from');
  }

  /** The port of the gateway, from this stream. */
  asRandom(): Random {
    return {
      id: () => {
        const bytes = Buffer.alloc(16);
        for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(this.#next(), at);
        return bytes.toString('base64url');
      },
      fraction: () => this.fraction(),
    };
  }

  #next(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    return t >>> 0;
  }
}
