/**
 * Proof that a refused call left no trace (I15): nothing reached the issuer, and the journal has no record of it. And what
 * of an answer may not differ between refusals of one class.
 */
import { expect } from 'vitest';
import type { Answer } from './client.ts';
import type { RedisServer } from './redis.ts';
import type { ScriptedIssuer } from './scriptedIssuer.ts';

/** What differs between any two answers. */
const OWN = new Set(['timestamp', 'x-request-id', 'date']);

/** Status, headers and body of an answer, without what is each answer's own. */
export const bytesOf = ({ status, headers, text }: Answer): string =>
  JSON.stringify([status, Object.entries(headers).filter(([name]) => !OWN.has(name)), text]);

export class Traces {
  readonly #issuer: Pick<ScriptedIssuer, 'requests'>;
  readonly #redis: Pick<RedisServer, 'command'>;

  constructor(issuer: Pick<ScriptedIssuer, 'requests'>, redis: Pick<RedisServer, 'command'>) {
    this.#issuer = issuer;
    this.#redis = redis;
  }

  /** What `run` gives, once it is proved that it left none. */
  async noneOf<T>(run: () => T | Promise<T>): Promise<T> {
    const before = await this.#count();
    const given = await run();
    expect(await this.#count()).toEqual(before);
    return given;
  }

  async #count(): Promise<{ readonly messages: number; readonly entries: number }> {
    const names = await this.#redis.command('KEYS', '*:e:*');
    return { messages: this.#issuer.requests.length, entries: Array.isArray(names) ? names.length : 0 };
  }
}
