/**
 * Everything that a gateway has stored, as whoever has the disk finds it, and as whoever has the seal key, too, reads it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Sealed } from '../../src/domain/entry.ts';
import { Secret } from '../../src/domain/secret.ts';
import { keyOfName } from '../../src/journal/record.ts';
import { createVault } from '../../src/journal/vault.ts';
import { testKeys } from '../support/gatewayConfig.ts';
import type { RedisServer } from '../support/redis.ts';

type StoredText = { readonly name: string; readonly message: string; readonly answer: string | null };

/** What the gateway has sealed, opened again with its key. */
export function opened(records: readonly StoredText[]): string[] {
  const key = Buffer.from(readFileSync(testKeys().sealKeyFile, 'utf8'), 'base64');
  const vault = createVault([new Secret(new Uint8Array(key))]);
  return records.flatMap(({ name, message, answer }) => {
    const at = keyOfName(name);
    const texts = [JSON.stringify(vault.openMessage(at, message as Sealed))];
    if (answer === null) return texts;
    const { desc, fields } = vault.openAnswer(at, answer as Sealed);
    return [...texts, JSON.stringify({ desc, fields: fields.reveal() })];
  });
}

/** The records of all entries of a Redis journal. */
export async function redisRecords(redis: RedisServer): Promise<StoredText[]> {
  const keys = [await redis.command('KEYS', 'gw:*:e:*')].flat().map(String);
  return Promise.all(
    keys.map(async key => {
      const [message, answer] = [await redis.command('HMGET', key, 'message', 'answer')].flat();
      return {
        name: key.slice(key.indexOf(':e:') + 3),
        message: String(message),
        answer: answer ? String(answer) : null,
      };
    }),
  );
}

/** The files in which Redis keeps its data, written now and without compression. */
export async function redisFiles(redis: RedisServer): Promise<string[]> {
  await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
  await redis.command('SAVE');
  const [, dir] = [await redis.command('CONFIG', 'GET', 'dir')].flat();
  return filesIn(String(dir));
}

/** The records of all entries of an embedded journal whose gateway has ended. */
export function sqliteRecords(file: string): StoredText[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare('SELECT name, message, answer FROM entry').all();
    return rows.map(({ name, message, answer }) => ({
      name: String(name),
      message: String(message),
      answer: answer === null ? null : String(answer),
    }));
  } finally {
    database.close();
  }
}

/** All files in a folder and below. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
