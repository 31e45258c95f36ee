/**
 * Names that are taken once, and what is revoked, in Redis. Each of them is one script on one key, and so of one slot.
 */
import type { Clock } from '../runtime/clock.ts';
import { REVOCATIONS_MOST, type Reply, type Revocation, RevocationsFull } from './journal.ts';
import { keepingOf, revocationOf, revokedText } from './marks.ts';
import { keysOfShard, REVOKED, shardOfName } from './redisKeys.ts';
import { numberOf, SCRIPTS, type Script, type ScriptReply, textsOf } from './redisScripts.ts';

/** Runs a script on the connection that its caller chose. */
type Run = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<Reply<ScriptReply>>;

/** `Journal.once`. */
export async function takeOnce(
  run: Run,
  clock: Clock,
  name: string,
  untilMs: number,
): Promise<Reply<'first' | 'again'>> {
  const keys = [keysOfShard(shardOfName(name)).once(name)];
  const reply = await run(SCRIPTS.once, keys, keptArguments(untilMs, clock));
  return reply.kind === 'done' ? { kind: 'done', value: reply.value === 'first' ? 'first' : 'again' } : reply;
}

/** `Journal.revoke`. */
export async function addRevocation(run: Run, clock: Clock, { kind, id, untilMs }: Revocation): Promise<Reply<void>> {
  const args = [revokedText(kind, id), ...keptArguments(untilMs, clock), String(REVOCATIONS_MOST)];
  const reply = await run(SCRIPTS.revoke, [REVOKED], args);
  if (reply.kind !== 'done') return reply;
  if (reply.value === 'full') throw new RevocationsFull();
  return { kind: 'done', value: undefined };
}

/** `Journal.revoked`. */
export async function readRevocations(run: Run): Promise<Reply<readonly Revocation[]>> {
  const reply = await run(SCRIPTS.revoked, [REVOKED], []);
  if (reply.kind !== 'done') return reply;
  const pairs = textsOf(reply.value);
  const value = pairs.flatMap((text, i) => (i % 2 === 0 ? [revocationOf(text, numberOf(pairs[i + 1]))] : []));
  return { kind: 'done', value };
}

function keptArguments(until: number, clock: Clock): string[] {
  const { untilMs, leastMs } = keepingOf(until, clock.wallMs());
  return [String(untilMs), String(leastMs)];
}
