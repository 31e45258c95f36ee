/**
 * Looks at a Redis server before the journal trusts it. A server that throws keys away under pressure would forget which
 * transactions it has seen, so it is refused; what only weakens durability is warned of.
 */
import type { Redis } from 'ioredis';
import type { JournalNotice } from './notice.ts';

/** What was found about one server: `refusal` is why it cannot be the journal. */
export type ServerFindings = { readonly refusal: string | undefined; readonly warnings: readonly JournalNotice[] };

/** What a server says of itself; undefined where it does not say, or may not be asked. */
type Facts = {
  readonly place: string;
  readonly version: number | undefined;
  readonly runId: string | undefined;
  readonly role: string | undefined;
  readonly policy: string | undefined;
  readonly appendOnly: boolean | undefined;
  readonly snapshots: string | undefined;
  readonly fsync: string | undefined;
  readonly replicas: number;
  readonly replicasToWrite: string | undefined;
};

/** Shebang flags of scripts came with Redis 7. */
const VERSION_LEAST = 7;

const REFUSALS: readonly ((facts: Facts) => string | undefined)[] = [
  ({ version, place }) =>
    version !== undefined && version < VERSION_LEAST
      ? `${place} has version ${version}: the journal needs Redis 7 or Valkey`
      : undefined,
  ({ role, place }) =>
    role !== undefined && role !== 'master'
      ? `${place} is a replica: name the primary, or the sentinels, in journal.url`
      : undefined,
  evictionFault,
];

/** Any other policy deletes entries when memory is short, and with them the record of what was done (F53). */
function evictionFault({ policy, place }: Facts): string | undefined {
  if (policy === undefined || policy === 'noeviction') return undefined;
  return `${place} has maxmemory-policy ${policy}, which deletes journal entries when memory is short: set maxmemory-policy noeviction`;
}

const WARNINGS: readonly ((facts: Facts) => Omit<JournalNotice, 'level'> | undefined)[] = [
  ({ appendOnly, snapshots, place }) => {
    if (appendOnly !== false) return undefined;
    const text = snapshots
      ? `${place} keeps only snapshots: a crash loses every entry since the last one; set appendonly yes`
      : `${place} does not persist: a restart loses every entry; set appendonly yes`;
    return { about: 'persistence', text };
  },
  ({ appendOnly, fsync, place }) =>
    appendOnly && fsync === 'no'
      ? {
          about: 'persistence',
          text: `${place} has appendfsync no: a crash loses up to half a minute; set always or everysec`,
        }
      : undefined,
  ({ replicas, replicasToWrite, place }) =>
    replicas > 0 && replicasToWrite === '0'
      ? {
          about: 'persistence',
          text: `${place} has replicas, but min-replicas-to-write 0: a failover loses more than it must; set 1`,
        }
      : undefined,
  ({ policy, place }) =>
    policy === undefined
      ? { about: 'unchecked', text: `${place} does not tell its maxmemory-policy: make sure that it is noeviction` }
      : undefined,
  ({ runId, place }) =>
    runId === undefined
      ? {
          about: 'unchecked',
          text: `${place} does not tell its run_id, by which a restart or a failover is seen: allow INFO`,
        }
      : undefined,
  ({ fsync, place }) =>
    fsync === undefined
      ? { about: 'unchecked', text: `${place} does not allow CONFIG GET: make sure that appendonly is yes` }
      : undefined,
];

/** Asks one server and judges what it says. Rejects only where the connection fails. */
export async function inspectServer(server: Redis): Promise<ServerFindings> {
  const facts = await factsOf(server);
  const refusal = REFUSALS.map(check => check(facts)).find(found => found !== undefined);
  const warnings = WARNINGS.flatMap(check => check(facts) ?? []).map(found => ({
    level: 'warning' as const,
    ...found,
  }));
  return { refusal, warnings };
}

/** Behind sentinels the one that was found. */
const placeOf = ({ options: { sentinels, host, port }, stream }: Redis): string =>
  sentinels ? `${stream.remoteAddress}:${stream.remotePort}` : `${host}:${port}`;

/** How many replicas the server has now. Rejects where it does not answer. */
export const replicasOf = async (server: Redis): Promise<number> =>
  Number((await infoOf(server)).get('connected_slaves') ?? 0);

/** Whether the server now throws entries away, as an operator may have told it to: the reason, or undefined. */
export const evictionOf = async (server: Redis): Promise<string | undefined> => evictionFault(await factsOf(server));

async function factsOf(server: Redis): Promise<Facts> {
  const info = await infoOf(server);
  const config = await configOf(server);
  const version = Number.parseInt(info.get('redis_version') ?? '', 10);
  const appendOnly = info.get('aof_enabled');
  return {
    place: `Redis at ${placeOf(server)}`,
    version: Number.isNaN(version) ? undefined : version,
    runId: info.get('run_id'),
    role: info.get('role'),
    policy: info.get('maxmemory_policy') ?? config.get('maxmemory-policy'),
    appendOnly: appendOnly === undefined ? undefined : appendOnly === '1',
    snapshots: config.get('save'),
    fsync: config.get('appendfsync'),
    replicas: Number(info.get('connected_slaves') ?? 0),
    replicasToWrite: config.get('min-replicas-to-write'),
  };
}

/** `INFO` as fields; empty where the server forbids it. */
async function infoOf(server: Redis): Promise<ReadonlyMap<string, string>> {
  const text = await unlessForbidden(server.info(), '');
  return new Map(
    text.split('\r\n').flatMap(line => {
      const end = line.indexOf(':');
      return end < 1 ? [] : [[line.slice(0, end), line.slice(end + 1)] as const];
    }),
  );
}

/** The settings that matter; empty where the server forbids asking, as hosted ones do. */
async function configOf(server: Redis): Promise<ReadonlyMap<string, string>> {
  const names = ['maxmemory-policy', 'appendfsync', 'save', 'min-replicas-to-write'] as const;
  const reply = await unlessForbidden(server.call('CONFIG', 'GET', ...names), []);
  const texts = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(texts.flatMap((name, i) => (i % 2 === 0 ? ([[name, texts[i + 1] ?? '']] as const) : [])));
}

/** Answers of the server that say no to the question; anything else is a connection that failed. */
async function unlessForbidden<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const isAnswer = error instanceof Error && error.name === 'ReplyError';
    if (isAnswer && /^(NOPERM|ERR)/.test(error.message)) return otherwise;
    throw error;
  }
}
