/**
 * What the scripts that write an entry are given, and the entry of what they return. Everything in it follows from the
 * entry before and after; the scripts themselves know nothing of its state.
 */
import { born, type Draft, type Entry, movesMoney } from '../domain/entry.ts';
import { filingOf, RECOVERY } from '../domain/filing.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { JournalDefect } from './notice.ts';
import { answerOf, decode, headOf } from './record.ts';
import type { Seen } from './redisAmnesia.ts';
import { keysOfShard, shardOf, sumArguments } from './redisKeys.ts';
import { numberOf, type ScriptReply, textOf } from './redisScripts.ts';
import { tallyChange } from './tally.ts';

/** Keys and arguments of one call. */
export type Call = readonly [keys: readonly string[], args: readonly string[]];

export function claimCall(shard: number, draft: Draft, writeId: string, seen: Seen, epochToBegin: string): Call {
  const keys = keysOfShard(shard);
  const name = keyText(draft.key);
  // Born at 0: times in the head count from the claim, and the script adds its own clock.
  const unborn = born(draft, 0);
  const { wake, owedSince } = filingOf(unborn);
  if (!wake) throw new JournalDefect('an entry is born with something to wait for');
  return [
    [keys.entry(name), keys.claims, keys.lane(wake.lane), keys.owed, keys.sums, keys.epoch],
    [
      writeId,
      headOf(unborn),
      draft.message,
      name,
      String(wake.at),
      owedSince === null ? '0' : '1',
      String(seen.writes),
      seen.epoch,
      epochToBegin,
      movesMoney(draft) ? '1' : '0',
      ...sumArguments(tallyChange(null, unborn)),
    ],
  ];
}

/** What a move is told of, beside its shard. */
export type Move = {
  readonly from: Entry;
  readonly to: Entry;
  readonly writeId: string;
  readonly retention: string;
  /** Where a claim is taken over, the epoch that was seen last, '' where none was; else '='. */
  readonly takenOverIn: string;
};

/** `before` is the head of `from` as the store has it. */
export function moveCall(
  shard: number,
  { from, to, writeId, retention, takenOverIn }: Move,
  before = headOf(from),
): Call {
  const keys = keysOfShard(shard);
  const name = keyText(from.key);
  const [was, after] = [filingOf(from), filingOf(to)];
  const left = was.wake?.lane ?? RECOVERY;
  const entered = after.wake?.lane ?? left;
  return [
    [keys.entry(name), keys.lane(left), keys.lane(entered), keys.owed, keys.sums, keys.claims, keys.epoch],
    [
      String(from.version),
      String(to.version),
      writeId,
      headOf(to),
      name,
      changeOf(answerOf(from), answerOf(to)),
      after.wake ? String(after.wake.at) : '',
      changeOf(was.owedSince, after.owedSince),
      after.expires ? retention : keptOf(was.expires),
      String(from.claimedAt),
      before,
      takenOverIn,
      ...sumArguments(tallyChange(from, to)),
    ],
  ];
}

export function restoreCall(entry: Entry, writeId: string, retention: string): Call {
  const keys = keysOfShard(shardOf(entry.key));
  const name = keyText(entry.key);
  const { wake, owedSince, expires } = filingOf(entry);
  return [
    [keys.entry(name), keys.lane(wake?.lane ?? RECOVERY), keys.owed, keys.sums, keys.claims, keys.epoch],
    [
      String(entry.version),
      writeId,
      String(entry.claimedAt),
      headOf(entry),
      entry.message,
      answerOf(entry) ?? '',
      name,
      wake ? String(wake.at) : '',
      owedSince === null ? '' : String(owedSince),
      expires ? retention : '',
      ...sumArguments(tallyChange(null, entry)),
    ],
  ];
}

/** How the script is told of a change: '=' none, '' gone, else the new value. */
const changeOf = (before: string | number | null, after: string | number | null): string =>
  before === after ? '=' : String(after ?? '');

/** How the script is told that an entry does not expire: '' where it would have until now. */
const keptOf = (expiredBefore: boolean): string => (expiredBefore ? '' : '=');

/**
 * The head that a move is to expect instead, where it lost to nobody: a version of the gateway that knows more of an entry
 * than this one has written the very version that was expected.
 */
export function otherWordsFor(from: Entry, found: readonly ScriptReply[]): string | undefined {
  if (found.length === 0) return undefined;
  const present = entryOf(from.key, found);
  const isSame = present.version === from.version && present.claimedAt === from.claimedAt;
  return isSame && headOf(present) === headOf(from) ? textOf(found[2]) : undefined;
}

/** The entry of what a script returned: version, claimedAt, head, message, answer. */
export function entryOf(key: EntryKey, [version, at, head, message, answer]: readonly ScriptReply[]): Entry {
  return decode(key, {
    version: numberOf(version),
    at: numberOf(at),
    head: textOf(head),
    message: textOf(message),
    answer: answer === null ? null : textOf(answer),
  });
}
