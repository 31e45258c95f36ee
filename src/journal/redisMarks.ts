/**
 * Names that are taken once, what is revoked, and whether the site stands by, in Redis. Each of them is one script on one
 * key, and so of one slot.
 */
import type { Clock, Span } from '../runtime/clock.ts';
import { REVOCATIONS_MOST, type Reply, type Revocation, RevocationsFull, type Standby } from './journal.ts';
import { keepingOf, revocationOf, revokedText } from './marks.ts';
import type { RedisAmnesia } from './redisAmnesia.ts';
import { keysOfShard, REVOKED, STANDBY, shardOfName } from './redisKeys.ts';
import { listOf, numberOf, SCRIPTS, type Script, type ScriptReply, textOf, textsOf } from './redisScripts.ts';

/** Runs a script on the connection that its caller chose. */
type Run = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<Reply<ScriptReply>>;

export type OnceDeps = { readonly run: Run; readonly clock: Clock; readonly amnesia: RedisAmnesia };

/** `Journal.once`. */
export async function takeOnce(deps: OnceDeps, name: string, span: Span): Promise<Reply<'first' | 'again'>> {
  const first = await take(deps, name, span);
  if (first !== 'missed') return first;
  // Something that was seen there is gone. Once that is noticed, the names of before are doubtful and new ones are not.
  const second = (await deps.amnesia.ask(shardOfName(name))) ? await take(deps, name, span) : 'missed';
  return second === 'missed' ? { kind: 'away' } : second;
}

async function take(
  { run, clock, amnesia }: OnceDeps,
  name: string,
  { sinceMs, untilMs }: Span,
): Promise<Reply<'first' | 'again'> | 'missed'> {
  const keys = keysOfShard(shardOfName(name));
  const seen = amnesia.seen(keys.number);
  const ageMs = Math.ceil(clock.wallMs() - sinceMs);
  const args = [...keptArguments(untilMs, clock), ageMs, seen.writes, seen.epoch, amnesia.epochToBegin()].map(String);
  const reply = await run(SCRIPTS.once, [keys.once(name), keys.claims, keys.epoch], args);
  if (reply.kind !== 'done') return reply;
  const [kind, writes, epoch] = listOf(reply.value);
  if (kind === 'missed') return kind;
  if (kind === 'forgotten') return { kind: 'unsure' };
  if (kind === 'first') amnesia.noteWritten(keys.number, numberOf(writes), textOf(epoch));
  return { kind: 'done', value: kind === 'first' ? 'first' : 'again' };
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
export async function readRevocations(run: Run, clock: Clock): Promise<Reply<readonly Revocation[]>> {
  const reply = await run(SCRIPTS.revoked, [REVOKED], []);
  if (reply.kind !== 'done') return reply;
  const [now, lines = []] = listOf(reply.value);
  // Redis says how long; its own clock may differ from ours.
  const ahead = clock.wallMs() - numberOf(now);
  const pairs = textsOf(lines);
  const value = pairs.flatMap((text, i) => (i % 2 === 0 ? [revocationOf(text, numberOf(pairs[i + 1]) + ahead)] : []));
  return { kind: 'done', value };
}

/** `Journal.setStandby`. */
export async function writeStandby(run: Run, location: string | null, ifUnsaid: boolean): Promise<Reply<void>> {
  const reply = await run(SCRIPTS.setStandby, [STANDBY], [location ?? '', ifUnsaid ? 'ifUnsaid' : 'always']);
  return reply.kind === 'done' ? { kind: 'done', value: undefined } : reply;
}

/** `Journal.standby`. */
export async function readStandby(run: Run): Promise<Reply<Standby | null>> {
  const reply = await run(SCRIPTS.standby, [STANDBY], []);
  if (reply.kind !== 'done') return reply;
  const [location, since] = textsOf(reply.value);
  return {
    kind: 'done',
    value: location === undefined ? null : { location: location || null, sinceMs: numberOf(since) },
  };
}

function keptArguments(until: number, clock: Clock): string[] {
  const { untilMs, leastMs } = keepingOf(until, clock.wallMs());
  return [String(untilMs), String(leastMs)];
}
