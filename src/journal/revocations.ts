/**
 * What is revoked, in the memory of this process, so that every call can be checked without asking the journal; read
 * anew several times a second, so that what another gateway revokes holds here soon. What was once seen holds until its
 * time, whatever the journal forgets: every process writes back what is missing. And the journal as the memory of which
 * assertions were used.
 */
import type { Once } from '../edge/tokenEndpoint.ts';
import type { Revocations } from '../edge/tokenVerifier.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { Random } from '../runtime/random.ts';
import { type Journal, REVOCATIONS_MOST, type Reply, type Revocation, RevocationsFull } from './journal.ts';
import { keepingOf, revokedText } from './marks.ts';
import type { NoticeSink } from './notice.ts';
import {
  clientLine,
  inForce,
  liftedLine,
  type RevocationLine,
  type ShownLists,
  type Standing,
  shownOf,
  standingOf,
  subjectOf,
  tokensLine,
} from './revoked.ts';

/** How long something that another gateway revoked may still be believed here; one small question costs little. */
const POLL_MS = 250;
/** Longer without a list is no hiccup: it is told. */
const STALE_MS = 10_000;
/** What ends within this may be gone from the journal already: nothing is lost. */
const ENDING_MS = 60_000;
/** A client that is revoked anew this often has its latest line prolonged instead of one more written. */
const LINES_OF_CLIENT_MOST = 8;
/** A lifting outlives in every memory what it lifts: forgotten before, it would bring the revocation back. */
const LIFTED_LONGER_MS = 3_600_000;

/** The token endpoint's memory of assertions, kept by the journal: what it does not say for certain is `unavailable`. */
export const onceOf = (journal: Pick<Journal, 'once'>): Once => ({
  take: async (name, span) => {
    const reply = await journal.once(name, span);
    return reply.kind === 'done' ? reply.value : 'unavailable';
  },
});

export type RevocationListDeps = {
  readonly journal: Pick<Journal, 'revoke' | 'revoked'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onNotice: NoticeSink;
};

type Held = RevocationLine & {
  /** On the monotonic clock: no change of the wall clock ends it early. */
  readonly endsAtMs: number;
  /** The reading during or before which the journal was known to have it. */
  readonly reading: number;
};

export class RevocationList implements Revocations {
  readonly #deps: RevocationListDeps;
  /** By `revokedText`, until their time is over, whatever the journal says. */
  readonly #held = new Map<string, Held>();
  /** Names of those that the journal is not known to have, in the order in which they are to be written. */
  readonly #unwritten = new Set<string>();
  /** What `#held` means; made when it is next asked for. */
  #standing: Standing | undefined;
  #readings = 0;
  #readAtMs = 0;
  #polling: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isRunning = false;
  #isFailing = false;

  constructor(deps: RevocationListDeps) {
    this.#deps = deps;
  }

  /**
   * Reads the list, and from then on reads it anew again and again. False where it could not be read within that time,
   * in milliseconds, or cannot be read at all: then nobody knows what is revoked, and no token may be believed.
   */
  async start(withinMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    if (this.#isRunning) return true;
    this.#isRunning = true;
    this.#readAtMs = clock.monotonicMs();
    const until = Deadline.in(clock, withinMs);
    let isRead = await this.#refresh();
    while (!isRead && !this.#isFailing && until.leftMs() > 0) {
      await clock.sleep(POLL_MS);
      isRead = await this.#refresh();
    }
    this.#pollLater();
    return isRead;
  }

  /** Ends the reading; resolves when nothing of it is under way. What is known stays. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel?.();
    await this.#polling;
  }

  isRevoked(kind: 'client' | 'jti', id: string): boolean {
    const { clients, jtis } = this.#now();
    return (kind === 'client' ? clients : jtis).has(id);
  }

  validFrom(client: string): number {
    return this.#now().validFrom.get(client) ?? 0;
  }

  /**
   * Revokes until `untilMs` (milliseconds since 1970): here at once, elsewhere within moments. For a token, that is its
   * end and the tolerance of clocks. Where the answer is not `done` it holds here alone, and is written to the journal as
   * soon as that is possible, while this process lives.
   *
   * @throws RevocationsFull where there are too many; nothing is revoked then.
   */
  async revoke(kind: 'client' | 'jti', id: string, untilMs: number): Promise<Reply<void>> {
    if (kind === 'jti') return this.#add({ kind, id }, untilMs);
    const { clock, random } = this.#deps;
    const lines = this.#inForceOf(id);
    const latest = lines.length < LINES_OF_CLIENT_MOST ? undefined : lines.at(-1);
    return this.#add(latest ?? clientLine(id, clock.wallMs(), random.id()), untilMs);
  }

  /** Revokes the client's tokens that were issued before then, in seconds since 1970; otherwise as `revoke`. */
  revokeTokens(client: string, beforeSeconds: number, untilMs: number): Promise<Reply<void>> {
    return this.#add(tokensLine(client, beforeSeconds), untilMs);
  }

  /**
   * Lifts what holds against the client as a whole. Tokens that it had before stay revoked until `tokensUntilMs`; so do
   * single tokens, and those that were issued before some time. `nothing` where the client is not revoked. Where the answer
   * is neither, the lifting is written as soon as that is possible, or did not begin: ask for the list.
   *
   * @throws RevocationsFull where there are too many lines; the client stays revoked then.
   */
  async lift(client: string, tokensUntilMs: number): Promise<Reply<'lifted' | 'nothing'>> {
    const reply = await this.#readNow();
    if (reply.kind !== 'done') return reply;
    const lines = this.#inForceOf(client);
    if (lines.length === 0) return { kind: 'done', value: 'nothing' };
    const { clock } = this.#deps;
    const nowMs = clock.wallMs();
    const tokens = await this.revokeTokens(client, Math.ceil(nowMs / 1000), tokensUntilMs);
    if (tokens.kind !== 'done') return tokens;
    for (const line of lines) {
      const leftMs = line.endsAtMs - clock.monotonicMs() + LIFTED_LONGER_MS;
      const written = await this.#add(liftedLine(line, nowMs), nowMs + leftMs);
      if (written.kind !== 'done') return written;
    }
    return { kind: 'done', value: 'lifted' };
  }

  /** All that holds here, once the journal has told what it has. */
  async shown(): Promise<Reply<ShownLists>> {
    const reply = await this.#readNow();
    if (reply.kind !== 'done') return reply;
    const lines = [...this.#held.values()];
    return { kind: 'done', value: shownOf(lines.map(line => ({ ...line, untilMs: this.#wallUntil(line) }))) };
  }

  #now(): Standing {
    this.#standing ??= standingOf(this.#held.values());
    return this.#standing;
  }

  #inForceOf(client: string): Held[] {
    return inForce(this.#held.values()).filter(({ id }) => subjectOf(id) === client);
  }

  async #add({ kind, id }: RevocationLine, untilMs: number): Promise<Reply<void>> {
    const { clock } = this.#deps;
    const { untilMs: asked } = keepingOf(untilMs, clock.wallMs());
    this.#forgetExpired();
    const name = revokedText(kind, id);
    const before = this.#held.get(name);
    const wasUnwritten = this.#unwritten.has(name);
    if (!wasUnwritten && this.#unwritten.size >= REVOCATIONS_MOST) throw new RevocationsFull();
    const endsAtMs = Math.max(clock.monotonicMs() + asked - clock.wallMs(), before?.endsAtMs ?? 0);
    const added = this.#hold(name, { kind, id, endsAtMs, reading: this.#readings });
    this.#unwritten.add(name);
    try {
      return await this.#write(name, added);
    } catch (error) {
      if (error instanceof RevocationsFull && this.#held.get(name) === added) {
        if (before) this.#hold(name, before);
        else this.#drop(name);
        if (!wasUnwritten) this.#unwritten.delete(name);
      }
      throw error;
    }
  }

  #hold(name: string, line: Held): Held {
    this.#held.set(name, line);
    this.#standing = undefined;
    return line;
  }

  #drop(name: string): void {
    this.#held.delete(name);
    this.#unwritten.delete(name);
    this.#standing = undefined;
  }

  async #write(name: string, line: Held): Promise<Reply<void>> {
    const reply = await this.#deps.journal.revoke(line.kind, line.id, this.#wallUntil(line));
    // Unless somebody asked for a later time meanwhile.
    if (reply.kind === 'done' && this.#held.get(name)?.endsAtMs === line.endsAtMs) {
      this.#held.set(name, { ...line, reading: this.#readings });
      this.#unwritten.delete(name);
    }
    return reply;
  }

  #wallUntil({ endsAtMs }: Held): number {
    const { clock } = this.#deps;
    return Math.ceil(endsAtMs - clock.monotonicMs() + clock.wallMs());
  }

  #forgetExpired(): void {
    const now = this.#deps.clock.monotonicMs();
    for (const [name, { endsAtMs }] of this.#held) if (endsAtMs <= now) this.#drop(name);
  }

  async #poll(): Promise<void> {
    await this.#refresh();
    this.#pollLater();
  }

  #pollLater(): void {
    this.#cancel?.();
    if (!this.#isRunning) return;
    this.#cancel = this.#deps.clock.after(POLL_MS, () => {
      this.#polling = this.#poll();
    });
  }

  /** Reads between two polls; what is lost the next of them finds. */
  async #readNow(): Promise<Reply<void>> {
    const reading = this.#readings;
    const reply = await this.#deps.journal.revoked();
    if (reply.kind !== 'done') return reply;
    this.#merge(reply.value, reading);
    return { kind: 'done', value: undefined };
  }

  /** Whether the list was read. Never rejects. What does not pass by itself is told once, and once more when it has. */
  async #refresh(): Promise<boolean> {
    this.#readings += 1;
    const reading = this.#readings;
    try {
      const reply = await this.#deps.journal.revoked();
      this.#forgetExpired();
      if (reply.kind !== 'done') {
        this.#noteUnread(reply.kind);
        return false;
      }
      this.#merge(reply.value, reading);
      this.#readAtMs = this.#deps.clock.monotonicMs();
      await this.#writeMissing();
      this.#noteFine();
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown error';
      this.#noteFailing('alarm', `revocations cannot be kept in step: ${why}`);
      return false;
    }
  }

  /** Takes over what the journal has, as it was told in answer to that reading, and finds what it has lost. */
  #merge(list: readonly Revocation[], reading: number): void {
    const { clock } = this.#deps;
    const ahead = clock.monotonicMs() - clock.wallMs();
    const listed = new Map(list.map(line => [revokedText(line.kind, line.id), line]));
    for (const [name, { kind, id, untilMs }] of listed) {
      const held = this.#held.get(name);
      const endsAtMs = untilMs + ahead;
      if (held && held.endsAtMs > endsAtMs + ENDING_MS) continue;
      if (held && this.#unwritten.has(name) && held.endsAtMs > endsAtMs) continue;
      // A line that means nothing is a defect here, and not for every call to come.
      if (!held) standingOf([{ kind, id }]);
      const line = { kind, id, endsAtMs, reading: Math.max(reading, held?.reading ?? 0) };
      this.#unwritten.delete(name);
      if (held) this.#held.set(name, line);
      else this.#hold(name, line);
    }
    this.#findLost(listed, reading, ahead);
  }

  #findLost(listed: ReadonlyMap<string, Revocation>, reading: number, ahead: number): void {
    const soonMs = this.#deps.clock.monotonicMs() + ENDING_MS;
    let lost = 0;
    for (const [name, held] of this.#held) {
      // What was written after the question was put need not be in the answer.
      if (this.#unwritten.has(name) || held.reading >= reading || held.endsAtMs <= soonMs) continue;
      const found = listed.get(name);
      if (found && found.untilMs + ahead + ENDING_MS >= held.endsAtMs) continue;
      lost += 1;
      if (this.#unwritten.size < REVOCATIONS_MOST) this.#unwritten.add(name);
      else this.#drop(name);
    }
    if (lost === 0) return;
    const text = `the journal has lost ${lost} of what was revoked, as after a failover or a flush: it holds here, and is written back`;
    this.#deps.onNotice({ level: 'alarm', about: 'lostRevocations', text });
  }

  async #writeMissing(): Promise<void> {
    for (const name of [...this.#unwritten]) {
      const line = this.#held.get(name);
      if (line && (await this.#write(name, line)).kind !== 'done') return;
    }
  }

  /** Without the journal nothing is forwarded anyway: that is less than a journal that keeps this list to itself. */
  #noteUnread(kind: 'away' | 'unsure'): void {
    if (this.#deps.clock.monotonicMs() - this.#readAtMs < STALE_MS) return;
    const text = `what is revoked could not be read for ${STALE_MS / 1000} s: what other gateways revoke does not hold here`;
    this.#noteFailing(kind === 'away' ? 'warning' : 'alarm', text);
  }

  #noteFailing(level: 'alarm' | 'warning', text: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#deps.onNotice({ level, about: 'storage', text });
  }

  #noteFine(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#deps.onNotice({ level: 'info', about: 'storage', text: 'revocations are in step again' });
  }
}
