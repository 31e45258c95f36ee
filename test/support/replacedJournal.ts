/**
 * A journal some of whose calls are others: for tests that make it lose a reply, stand still, or count what is asked. All
 * other calls go to the journal that it stands for.
 */
import type { Journal } from '../../src/journal/journal.ts';

/** The journal with some of its methods replaced. */
export const replaced = (journal: Journal, by: Partial<Journal> | undefined): Journal =>
  by === undefined
    ? journal
    : new Proxy(journal, {
        get: (inner, name) => Reflect.get(by, name) ?? (Reflect.get(inner, name) as () => unknown).bind(inner),
      });
