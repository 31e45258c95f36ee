/**
 * Reads all that a Redis server holds as raw bytes, whatever the types of the keys, so that a test can search it for what
 * must not be there. Dumps and append-only files do not serve: Redis stores digits in them as numbers and may compress.
 */
import type { Redis } from 'ioredis';

type Reader = (client: Redis, key: Buffer) => Promise<readonly (Buffer | string | null)[]>;

const READERS: Readonly<Record<string, Reader>> = {
  string: async (client, key) => [await client.getBuffer(key)],
  hash: (client, key) => list(client, 'HGETALL', key),
  list: (client, key) => list(client, 'LRANGE', key, '0', '-1'),
  set: (client, key) => list(client, 'SMEMBERS', key),
  zset: (client, key) => list(client, 'ZRANGE', key, '0', '-1', 'WITHSCORES'),
  stream: (client, key) => list(client, 'XRANGE', key, '-', '+'),
};

async function list(client: Redis, command: string, key: Buffer, ...args: string[]): Promise<Buffer[]> {
  return flatten(await client.callBuffer(command, key, ...args));
}

/** Replies nest, and RESP3 gives maps as arrays of pairs and scores as numbers. */
function flatten(reply: unknown): Buffer[] {
  if (Buffer.isBuffer(reply)) return [reply];
  if (Array.isArray(reply)) return reply.flatMap(flatten);
  if (reply instanceof Map) return [...reply].flatMap(flatten);
  if (reply !== null && typeof reply === 'object') return Object.entries(reply).flatMap(flatten);
  return [Buffer.from(String(reply))];
}

/** Every key and value, separated by zero bytes. @throws Error for a key of a type that this file cannot read. */
export async function readEverything(client: Redis): Promise<Buffer> {
  const parts: Buffer[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await client.scanBuffer(cursor, 'COUNT', 1000);
    cursor = next.toString();
    for (const key of keys) {
      const type = await client.type(key);
      const read = READERS[type];
      // A key may expire between the two commands.
      if (!read && type !== 'none') throw new Error(`keys of type ${type} cannot be read yet`);
      parts.push(key, ...(read ? flatten(await read(client, key)) : []));
    }
  } while (cursor !== '0');
  return Buffer.concat(parts.flatMap(part => [part, Buffer.from([0])]));
}
