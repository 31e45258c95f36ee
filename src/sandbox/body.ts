/**
 * Reads the body of a request to the demo issuer: bounded, as UTF-8 and nothing else, as JSON.
 */
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../catalogue/shape.ts';

/** As for the gateway's own callers. */
const BODY_MAX_BYTES = 64 * 1024;

const DRAIN_MAX_BYTES = 1024 * 1024;

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly reason: string };

/** The body as JSON, or what is wrong with it in words that quote nothing of it. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size <= BODY_MAX_BYTES) chunks.push(chunk);
      // Leaving the loop destroys the connection: what is only a little too long is read on, so that it can be told so.
      else if (size > DRAIN_MAX_BYTES) break;
    }
    if (size > BODY_MAX_BYTES) return bad(`must be at most ${BODY_MAX_BYTES} bytes`);
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
    return { kind: 'json', value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return bad('must be JSON');
    return bad(error instanceof TypeError ? 'must be UTF-8' : 'was cut short');
  }
}

const bad = (reason: string): Body => ({ kind: 'bad', reason });

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
