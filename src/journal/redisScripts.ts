/**
 * Runs the journal's Lua scripts and says for certain what became of each call. A call itself knows whether it was ever
 * handed to a socket, which the library's errors do not tell reliably.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command, ReplyError } from 'ioredis';
import type { Reply } from './journal.ts';
import { JournalDefect } from './notice.ts';
import type { RedisClient } from './redisConnect.ts';
import type { RedisServers } from './redisServers.ts';

/** What a script returns: texts, lists of them, and null. */
export type ScriptReply = string | null | readonly ScriptReply[];

export type Script = {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
  /** It looks at the epoch of a shard, and so has to know the server. */
  readonly hasEpoch: boolean;
};

const textOfFile = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
const EPOCH = textOfFile('epoch');

function load(name: string, text = textOfFile(name), hasEpoch = false): Script {
  return { name, text, sha: hash('sha1', text), hasEpoch };
}

/** With `epoch.lua` after its first line, which has to stay the first. */
function loadWithEpoch(name: string): Script {
  const [flags, ...rest] = textOfFile(name).split('\n');
  return load(name, [flags, EPOCH, ...rest].join('\n'), true);
}

/** One script for each transition, and for each question that needs the journal's clock with its answer. */
export const SCRIPTS = {
  claim: loadWithEpoch('claim'),
  restore: loadWithEpoch('restore'),
  amnesia: loadWithEpoch('amnesia'),
  move: loadWithEpoch('move'),
  read: load('read'),
  wake: loadWithEpoch('wake'),
  owed: load('owed'),
  drop: load('drop'),
  once: loadWithEpoch('once'),
  revoke: load('revoke'),
  revoked: load('revoked'),
  setStandby: load('setStandby'),
  standby: load('standby'),
} as const;

/**
 * Errors by which the server refuses a call before the script begins (its first line asks for that), so that nothing
 * was done: a replica, no memory, loading, no replicas to write to, a disk that fails, a slot elsewhere, no permission.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'READONLY',
  'OOM',
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'MISCONF',
  'BUSY',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'NOAUTH',
  'NOPERM',
]);

/** The library's error for a call that lost its connection, or found none. */
const CONNECTION_CLOSED = 'Connection is closed.';

/** One call of a script that can tell whether a server may have carried it out without answering. */
class ScriptCall extends Command {
  readonly #words: readonly string[];
  readonly #wordsFor: ((socket: object) => readonly string[]) | undefined;
  #socket: { readonly destroyed?: boolean } | undefined;

  /** `words`: the command and its arguments. `wordsFor` adds to them what depends on the server that it goes to. */
  constructor(words: readonly [string, ...string[]], wordsFor?: (socket: object) => readonly string[]) {
    super(words[0], words.slice(1), { replyEncoding: 'utf8' });
    this.#words = words;
    this.#wordsFor = wordsFor;
  }

  override toWritable(socket: Gathering): string {
    gather(socket);
    if (this.isSettled) {
      // Given up while it waited for a connection, and its caller was told that nothing left: send something harmless.
      this.name = 'ping';
      this.args = [];
      return messageOf(['ping']);
    }
    this.#socket = socket;
    return messageOf(this.#wordsFor ? [...this.#words, ...this.#wordsFor(socket)] : this.#words);
  }

  /** Whether it is certain, now that the call has failed with this error, that no server has it unanswered. */
  isSurelyUndone(error: unknown): boolean {
    if (!this.#socket) return true;
    // A Cluster's call that was redirected, and found the other server gone. Had it been lost on the way to the first
    // one, that connection would be the one that is closed.
    return error instanceof Error && error.message === CONNECTION_CLOSED && this.#socket.destroyed === false;
  }
}

/**
 * A command in the protocol of Redis, which counts bytes. The library's own way, which also takes other arguments than
 * texts, costs twice as much.
 */
function messageOf(words: readonly string[]): string {
  const message = frame(words, word => word.length);
  // Nearly all is ASCII: whether it is, is asked once for the whole rather than for each of two dozen words.
  return Buffer.byteLength(message) === message.length ? message : frame(words, Buffer.byteLength);
}

function frame(words: readonly string[], lengthOf: (word: string) => number): string {
  const lines = [`*${words.length}`];
  for (const word of words) lines.push(`$${lengthOf(word)}`, word);
  lines.push('');
  return lines.join('\r\n');
}

/** What a stream of Node has for holding back what is written to it. */
type Gathering = {
  readonly destroyed?: boolean;
  readonly writableCorked: number;
  cork(): void;
  uncork(): void;
};

/**
 * Lets all calls of one turn of the event loop leave in one write: a write to a socket is the most expensive part of a
 * call. The calls stay single, each with its own reply and time limit, so that unlike in a pipeline of the library none
 * waits for another, and one that fails fails alone. Nobody waits longer either: the turn ends before anything is read.
 */
function gather(socket: Gathering): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}

const AWAY = { kind: 'away' } as const;

/** Where scripts run, and what is known of the servers behind it. */
export type ScriptRunner = {
  readonly client: RedisClient;
  readonly servers: Pick<RedisServers, 'wordsFor'>;
};

type Failed = Exclude<Reply<never>, { readonly kind: 'done' }> | { readonly kind: 'noScript' };

/**
 * Runs a script, by its name or by its text: a server that forgot its scripts (restart, failover, SCRIPT FLUSH) is sent the
 * text, which it remembers again.
 *
 * @throws JournalDefect where the script itself failed, which by its rules is before its first write.
 */
export async function runScript(
  { client, servers }: ScriptRunner,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  by: 'evalsha' | 'eval' = 'evalsha',
): Promise<Reply<ScriptReply>> {
  const which = by === 'eval' ? script.text : script.sha;
  const words = [by, which, String(keys.length), ...keys, ...args] as const;
  const call = new ScriptCall(words, script.hasEpoch ? socket => servers.wordsFor(socket) : undefined);
  try {
    // What is returned may be more than the call's own promise (tracing), and must not be left to reject unseen.
    return { kind: 'done', value: (await client.sendCommand(call)) as ScriptReply };
  } catch (error) {
    const failed = call.isSurelyUndone(error) ? AWAY : meaningOf(error, script);
    if (failed.kind !== 'noScript') return failed;
    return by === 'eval' ? AWAY : runScript({ client, servers }, script, keys, args, 'eval');
  }
}

/** What an error says about a call that was handed over. Its text may quote arguments and goes no further. */
function meaningOf(error: unknown, script: Script): Failed {
  const text = error instanceof Error ? error.message : '';
  if (!(error instanceof ReplyError)) return { kind: wasRefusedThroughout(text) ? 'away' : 'unsure' };
  const [code = ''] = text.split(' ', 1);
  if (code === 'NOSCRIPT') return { kind: 'noScript' };
  const fromInside = text.includes('@user_script');
  if (REFUSALS.has(code) && !fromInside) return AWAY;
  throw new JournalDefect(
    `the journal script ${script.name} failed with ${code}: is this database only the journal's?`,
  );
}

/** The Cluster client gave up after redirections, each of which had done nothing. */
function wasRefusedThroughout(text: string): boolean {
  const code = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]+) /.exec(text)?.[1];
  return code !== undefined && REFUSALS.has(code);
}

/** A list as a script returned it. */
export function listOf(reply: ScriptReply): readonly ScriptReply[] {
  if (!Array.isArray(reply)) throw new JournalDefect('a journal script returned no list');
  return reply;
}

/** What a script returned, as a list or as its words in one text. */
export const wordsOf = (reply: ScriptReply): readonly ScriptReply[] =>
  typeof reply === 'string' ? reply.split(' ') : listOf(reply);

/** A list of texts as a script returned it. */
export const textsOf = (reply: ScriptReply): string[] => listOf(reply).map(textOf);

export function textOf(reply: ScriptReply | undefined): string {
  if (typeof reply !== 'string') throw new JournalDefect('a journal script returned no text');
  return reply;
}

/** A number of milliseconds, a version or a count. */
export function numberOf(reply: ScriptReply | undefined): number {
  const number = Number(textOf(reply));
  if (!Number.isSafeInteger(number)) throw new JournalDefect('a journal script returned no whole number');
  return number;
}
