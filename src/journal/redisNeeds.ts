/**
 * Goes through what is filed in one place of a shard, to learn which keys and issuers its entries cannot do without.
 */
import type { NeedsOfRecords } from './record.ts';
import type { RedisClient } from './redisConnect.ts';
import type { ShardKeys } from './redisKeys.ts';

/** Names of one page when all open entries are gone through: some pages for an outage, little memory each. */
const SCAN_PAGE = 250;

/** Adds the needs of all entries whose names are in `filed`. Rejects where the server does not answer. */
export async function addNeeds(
  client: RedisClient,
  shard: ShardKeys,
  filed: string,
  needs: NeedsOfRecords,
): Promise<void> {
  let cursor = '0';
  do {
    const [next, pairs] = await client.zscan(filed, cursor, 'COUNT', SCAN_PAGE);
    const members = pairs.filter((_, i) => i % 2 === 0);
    const records = await Promise.all(
      members.map(name => client.hmget(shard.entry(name), 'head', 'message', 'answer')),
    );
    for (const [head, ...sealed] of records) needs.add(head, ...sealed);
    cursor = next;
  } while (cursor !== '0');
}
