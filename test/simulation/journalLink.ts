/**
 * The embedded journal behind a line, so that what can go wrong on the way goes wrong there as well: a commit that fails,
 * one of which nobody knows, and everything that a busy disk delays.
 */
import type { Draft, Entry } from '../../src/domain/entry.ts';
import type { EntryKey } from '../../src/domain/ids.ts';
import type { Amnesia, Claimed, Journal, Moved, Reply } from '../../src/journal/journal.ts';
import type { Line, StoreObserver } from './line.ts';

export class JournalLink implements Journal {
  readonly #journal: Journal;
  readonly #line: Line;
  readonly #observer: StoreObserver;

  constructor(journal: Journal, line: Line, observer: StoreObserver) {
    this.#journal = journal;
    this.#line = line;
    this.#observer = observer;
  }

  claim(draft: Draft, writeId: string): Promise<Reply<Claimed>> {
    return this.#line.ask(`claim ${draft.key.tranId}`, async () => {
      const reply = await this.#journal.claim(draft, writeId);
      if (reply.kind !== 'done') return reply;
      const { value } = reply;
      this.#observer.claimed(draft.key, value.kind, 'entry' in value ? value.entry : undefined);
      return reply;
    });
  }

  move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>> {
    return this.#line.ask(this.#line.nameOf(from, to), async () => {
      const reply = await this.#journal.move(from, to, writeId);
      if (reply.kind === 'done') this.#observer.moved(from, to, reply.value);
      return reply;
    });
  }

  restore(entry: Entry): ReturnType<Journal['restore']> {
    return this.#line.ask(`restore ${entry.key.tranId}`, async () => {
      const reply = await this.#journal.restore(entry);
      if (reply.kind === 'done' && reply.value === 'restored') this.#observer.restored(entry);
      return reply;
    });
  }

  read(key: EntryKey): ReturnType<Journal['read']> {
    return this.#line.ask(`read ${key.tranId}`, () => this.#journal.read(key));
  }

  due(...args: Parameters<Journal['due']>): ReturnType<Journal['due']> {
    return this.#line.ask('due', () => this.#journal.due(...args));
  }

  owed(): ReturnType<Journal['owed']> {
    return this.#line.ask('owed', () => this.#journal.owed());
  }

  once(...args: Parameters<Journal['once']>): ReturnType<Journal['once']> {
    return this.#line.ask('once', () => this.#journal.once(...args));
  }

  revoke(...args: Parameters<Journal['revoke']>): ReturnType<Journal['revoke']> {
    return this.#line.ask('revoke', () => this.#journal.revoke(...args));
  }

  revoked(): ReturnType<Journal['revoked']> {
    return this.#line.ask('revoked', () => this.#journal.revoked());
  }

  setStandby(...args: Parameters<Journal['setStandby']>): ReturnType<Journal['setStandby']> {
    return this.#line.ask('setStandby', () => this.#journal.setStandby(...args));
  }

  standby(): ReturnType<Journal['standby']> {
    return this.#line.ask('standby', () => this.#journal.standby());
  }

  needs(): ReturnType<Journal['needs']> {
    return this.#line.ask('needs', () => this.#journal.needs());
  }

  amnesia(): Amnesia {
    return this.#journal.amnesia();
  }

  isUp(): boolean {
    return this.#line.isUp();
  }

  async close(): Promise<void> {}
}
