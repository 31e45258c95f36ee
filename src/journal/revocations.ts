/**
 * What is revoked, in the memory of this process, so that every call can be checked without asking the journal; read
 * anew several times a second, so that what another gateway revokes holds here soon. And the journal as the memory of
 * which assertions were used.
 */
import type { Once } from '../edge/tokenEndpoint.ts';
import type { Revocations } from '../edge/tokenVerifier.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Journal, REVOCATIONS_MOST, type Reply, type Revocation, RevocationsFull } from './journal.ts';
import { keepingOf, revokedText } from './marks.ts';
import type { NoticeSink } from './notice.ts';

/** How long something that another gateway revoked may still be believed here; one small question costs little. */
const POLL_MS = 250;

/** The token endpoint's memory of assertions, kept by the journal: what it does not say for certain is `unavailable`. */
export const onceOf = (journal: Pick<Journal, 'once'>): Once => ({
  take: async (name, untilMs) => {
    const reply = await journal.once(name, untilMs);
    return reply.kind === 'done' ? reply.value : 'unavailable';
  },
});

export type RevocationListDeps = {
  readonly journal: Pick<Journal, 'revoke' | 'revoked'>;
  readonly clock: Clock;
  readonly onNotice: NoticeSink;
};

/** Revoked by this process; `isWritten` once the journal has it. */
type Own = Revocation & { readonly isWritten: boolean };

export class RevocationList implements Revocations {
  readonly #deps: RevocationListDeps;
  /** As the journal last told it. It stays while the journal is away: nothing that is revoked is believed again. */
  #known: ReadonlySet<string> = new Set();
  /** Kept until their time is over: a list that was on its way here when they were written does not have them. */
  readonly #own = new Map<string, Own>();
  #polling: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isRunning = false;
  #isFailing = false;

  constructor(deps: RevocationListDeps) {
    this.#deps = deps;
  }

  /** Reads the list, and from then on reads it anew again and again. Resolves after the first try, however it went. */
  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#poll();
  }

  /** Ends the reading; resolves when nothing of it is under way. What is known stays. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel?.();
    await this.#polling;
  }

  isRevoked(kind: Revocation['kind'], id: string): boolean {
    const name = revokedText(kind, id);
    if (this.#known.has(name)) return true;
    const own = this.#own.get(name);
    return own !== undefined && own.untilMs > this.#deps.clock.wallMs();
  }

  /**
   * Revokes until `untilMs` (milliseconds since 1970): here at once, elsewhere within moments. For a token, that is its
   * end and the tolerance of clocks. Where the answer is not `done` it holds here alone, and is written to the journal as
   * soon as that is possible, while this process lives.
   *
   * @throws RevocationsFull where there are too many; nothing is revoked then.
   */
  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    const { untilMs: asked } = keepingOf(untilMs, this.#deps.clock.wallMs());
    this.#forgetExpired();
    const name = revokedText(kind, id);
    const before = this.#own.get(name);
    if (!before && this.#own.size >= REVOCATIONS_MOST) throw new RevocationsFull();
    const own = { kind, id, untilMs: Math.max(asked, before?.untilMs ?? 0), isWritten: false };
    this.#own.set(name, own);
    try {
      return await this.#write(name, own);
    } catch (error) {
      if (error instanceof RevocationsFull && this.#own.get(name) === own) {
        if (before) this.#own.set(name, before);
        else this.#own.delete(name);
      }
      throw error;
    }
  }

  async #write(name: string, own: Own): Promise<Reply<void>> {
    const reply = await this.#deps.journal.revoke(own.kind, own.id, own.untilMs);
    // Unless somebody asked for a later time meanwhile.
    if (reply.kind === 'done' && this.#own.get(name) === own) this.#own.set(name, { ...own, isWritten: true });
    return reply;
  }

  #forgetExpired(): void {
    const now = this.#deps.clock.wallMs();
    for (const [name, { untilMs }] of this.#own) if (untilMs <= now) this.#own.delete(name);
  }

  #poll(): Promise<void> {
    const polling = this.#refresh().then(() => this.#pollLater());
    this.#polling = polling;
    return polling;
  }

  #pollLater(): void {
    this.#cancel?.();
    if (!this.#isRunning) return;
    this.#cancel = this.#deps.clock.after(POLL_MS, () => {
      void this.#poll();
    });
  }

  /** Never rejects. What does not pass by itself is told once, and once more when it has passed. */
  async #refresh(): Promise<void> {
    try {
      const reply = await this.#deps.journal.revoked();
      if (reply.kind !== 'done') return;
      this.#known = new Set(reply.value.map(({ kind, id }) => revokedText(kind, id)));
      await this.#writeMissing();
      this.#note(undefined);
    } catch (error) {
      this.#note(error);
    }
  }

  async #writeMissing(): Promise<void> {
    this.#forgetExpired();
    for (const [name, own] of this.#own) {
      if (own.isWritten) continue;
      const { kind } = await this.#write(name, own);
      if (kind !== 'done') return;
    }
  }

  #note(error: unknown): void {
    if ((error !== undefined) === this.#isFailing) return;
    this.#isFailing = error !== undefined;
    if (this.#isFailing) {
      const why = error instanceof Error ? error.message : 'unknown error';
      this.#deps.onNotice({ level: 'alarm', about: 'storage', text: `revocations cannot be kept in step: ${why}` });
    } else {
      this.#deps.onNotice({ level: 'info', about: 'storage', text: 'revocations are in step again' });
    }
  }
}
