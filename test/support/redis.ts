/**
 * Private Redis servers for tests: each on a free port with a folder of its own, so that a test may kill, freeze, fill or
 * restart one without anybody else noticing. They end with the test process at the latest.
 */
import { Redis } from 'ioredis';
import { type Child, startChild } from './children.ts';
import { freePort, removeDir, tempDir } from './places.ts';
import { redisServerPath } from './redisBinary.ts';
import { readEverything } from './redisContent.ts';
import { waitFor, within } from './waitFor.ts';

export type RedisOptions = {
  /** Default `yes`: what a gateway expects of its journal. */
  readonly appendonly?: 'yes' | 'no';
  /** Default `everysec`, as in production. */
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  readonly maxmemoryPolicy?: string;
  /** Such as `3mb`; default no limit. */
  readonly maxmemory?: string;
  readonly replicaOf?: RedisServer;
  readonly password?: string;
  /** More arguments of `redis-server`, such as `['--min-replicas-to-write', '1']`. */
  readonly args?: readonly string[];
};

/** What Redis answers; replies that are lists come as arrays. */
export type Reply = string | number | null | readonly Reply[];

export type RedisServer = {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** As `journal.url` takes it. */
  readonly url: string;
  readonly pid: number;
  /** Where it keeps its data. */
  readonly dir: string;
  /** Sends one command on a connection of its own. @throws Error of the server, or when it is down for 5 s. */
  command(name: string, ...args: readonly (string | number)[]): Promise<Reply>;
  /** Removes every key. */
  flush(): Promise<void>;
  /** Every key and value as raw bytes, one after the other: for searching, not for parsing. */
  content(): Promise<Buffer>;
  /** Ends it and removes its folder. Nothing is kept, so nothing is waited for. */
  stop(): Promise<void>;
  /** SIGKILL. What was not on disk yet is lost. `restart` brings it back. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Ends it in good order if it runs, and starts it on the same port with the data that it kept on disk. */
  restart(): Promise<void>;
};

const HOST = '127.0.0.1';
/** A port can be taken between its choice and the start of the server. */
const START_TRIES = 5;

/** Starts a server and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  for (let tryNo = 1; ; tryNo += 1) {
    const dir = tempDir('redis');
    const port = await freePort();
    const args = serverArgs(port, dir, options);
    try {
      return serverOf(await launch(args, port, options.password), { dir, port, args, password: options.password });
    } catch (error) {
      removeDir(dir);
      if (tryNo === START_TRIES) throw error;
    }
  }
}

type Setting = {
  readonly dir: string;
  readonly port: number;
  readonly args: readonly string[];
  readonly password: string | undefined;
};

function serverArgs(port: number, dir: string, options: RedisOptions): string[] {
  const settings: Record<string, string | undefined> = {
    port: String(port),
    bind: HOST,
    dir,
    daemonize: 'no',
    appendonly: options.appendonly ?? 'yes',
    appendfsync: options.appendfsync ?? 'everysec',
    // A replica would wait five seconds for others to come before its first copy.
    'repl-diskless-sync-delay': '0',
    'maxmemory-policy': options.maxmemoryPolicy ?? 'noeviction',
    maxmemory: options.maxmemory,
    requirepass: options.password,
    masterauth: options.password,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
  if (options.replicaOf) args.push('--replicaof', HOST, String(options.replicaOf.port));
  // No snapshots on the side: what is on disk is what appendonly put there.
  return [...args, '--save', '', ...(options.args ?? [])];
}

async function launch(args: readonly string[], port: number, password: string | undefined): Promise<Child> {
  const child = await startChild(redisServerPath(), args);
  try {
    await waitFor(`Redis on port ${port}`, async () => {
      if (!child.alive()) return 'ended';
      return (await commandOnce(port, password, 'PING', [])) === 'PONG';
    });
  } catch (error) {
    await child.kill();
    throw error;
  }
  if (!child.alive()) throw new Error(`redis-server ended at once: ${child.stdout()}${child.stderr()}`);
  return child;
}

function serverOf(first: Child, { dir, port, args, password }: Setting): RedisServer {
  let child = first;
  const command = (name: string, ...rest: readonly (string | number)[]) => commandOnce(port, password, name, rest);
  const end = async () => {
    // A stopped process takes SIGTERM only once it goes on.
    child.signal('SIGCONT');
    child.signal('SIGTERM');
    await within(`the end of Redis on port ${port}`, child.exited);
  };
  return {
    host: HOST,
    port,
    dir,
    url: `redis://${password === undefined ? '' : `:${password}@`}${HOST}:${port}`,
    get pid() {
      return child.pid;
    },
    command,
    flush: async () => {
      await command('FLUSHALL');
    },
    content: () => withClient(port, password, readEverything),
    stop: async () => {
      await child.kill();
      removeDir(dir);
    },
    kill: () => child.kill(),
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    restart: async () => {
      await end();
      child = await launch(args, port, password);
    },
  };
}

/** Runs `use` with a client of its own, which neither queues, nor repeats, nor comes back. */
export async function withClient<T>(
  port: number,
  password: string | undefined,
  use: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis({
    host: HOST,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: 2_000,
    commandTimeout: 5_000,
  });
  // Without a listener the library prints what the caller gets as an error anyway.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const commandOnce = (
  port: number,
  password: string | undefined,
  name: string,
  args: readonly (string | number)[],
): Promise<Reply> =>
  withClient(port, password, async client => (await client.call(name, ...args.map(String))) as Reply);
