/**
 * What journals keep besides entries: names that are taken once, and what is revoked. Both are kept until a time of the
 * wall clock, which is not the clock of the journal.
 */
import { REVOCATION_KINDS, type Revocation } from './journal.ts';
import { JournalDefect } from './notice.ts';

/** A time until which something is kept, as an instant and as a length of time from now. */
export type Keeping = { readonly untilMs: number; readonly leastMs: number };

/**
 * Until when something is kept. A journal takes the later one, of the instant by its own clock and of the length from
 * now: whichever clock is wrong, nothing is forgotten before its time.
 *
 * @param untilMs milliseconds since 1970; rounded up.
 * @param wallMs now, by our clock.
 * @throws JournalDefect where `untilMs` is no time.
 */
export function keepingOf(untilMs: number, wallMs: number): Keeping {
  const until = Math.ceil(untilMs);
  if (!Number.isSafeInteger(until) || until < 0)
    throw new JournalDefect('a time until which to keep something is none');
  return { untilMs: until, leastMs: Math.max(1, Math.ceil(until - wallMs)) };
}

/** The one text that stands for a line. */
export const revokedText = (kind: Revocation['kind'], id: string): string => `${kind}/${id}`;

/** @throws JournalDefect where `text` is none of `revokedText`. */
export function revocationOf(text: string, untilMs: number): Revocation {
  const slash = text.indexOf('/');
  const kind = REVOCATION_KINDS.find(name => name === text.slice(0, slash));
  if (!kind) throw new JournalDefect('the journal has a revocation of unknown kind');
  return { kind, id: text.slice(slash + 1), untilMs };
}
