/**
 * What the journal holds about a message before it is claimed: the original that it names, which decides whether it may go
 * on, and, while the site stands by, whether it is this site's business at all.
 */
import type { JourneyDeps } from '../authorize.ts';
import { isJournalled } from '../catalogue/apis.ts';
import { reversalClaimOf, reversalFault } from '../delivery/follow.ts';
import { originalStanding } from '../domain/entry.ts';
import type { EntryKey } from '../domain/ids.ts';
import { keyOf } from '../domain/message.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Held } from '../journal/steps.ts';
import { type Call, refuse, timed } from './call.ts';

export type Named =
  /** `original` as it was read, null where it is not here; absent where none is named. */
  | { readonly kind: 'free'; readonly original?: Held | null }
  /** This very `tranId` has an entry: what it holds stands, whatever has become of the original since. */
  | { readonly kind: 'known'; readonly held: Held }
  /** The original is in flight or in doubt: 09, and nothing is claimed. */
  | { readonly kind: 'open' }
  /** Never to be sent; the answer is kept like any decline. */
  | { readonly kind: 'refused'; readonly code: '12' | '25' };

/** A message that names an original: the original's entry decides first whether this may go on. */
export async function lookUpOriginal(deps: JourneyDeps, call: Call): Promise<Named> {
  const { row, message, client } = call;
  if (!row.original || !message.originalTranId) return { kind: 'free' };
  const [own = null, original = null] = await readAll(deps, call, keysOf(call));
  if (own) return { kind: 'known', held: own };
  if (!original) return { kind: 'free', original };
  if (row.original === 'reversed') return judgeReversal(deps, call, original);
  if (original.entry.client !== client.id) return { kind: 'refused', code: '25' };
  if (row.original === 'mentioned') return { kind: 'free' };
  const standing = originalStanding(original.entry);
  if (standing === 'gone') return { kind: 'refused', code: '12' };
  return { kind: standing === 'open' ? 'open' : 'free' };
}

/**
 * While the site stands by it goes on with what it holds, so that no doubt is asked in two places; all else is sent on.
 * Inquiries are held nowhere.
 *
 * @throws Refusal `standingBy`, with the address to go to.
 */
export async function standAside(
  deps: JourneyDeps,
  call: Pick<Call, 'row' | 'message' | 'deadline' | 'trail'>,
): Promise<void> {
  const site = deps.standby();
  if (site === undefined) return;
  const { row, message } = call;
  const held = isJournalled(row) ? await readAll(deps, call, keysOf(call)) : [];
  if (held.some(each => each !== null)) return;
  throw new Refusal('standingBy', [], message.header, undefined, `${site}${row.path}`);
}

/** The key of the message, and of the original that it names. */
function keysOf({ message }: Pick<Call, 'message'>): EntryKey[] {
  const key = keyOf(message);
  const { originalTranId } = message;
  return originalTranId === undefined ? [key] : [key, { ...key, tranId: originalTranId }];
}

async function readAll(
  deps: JourneyDeps,
  call: Pick<Call, 'message' | 'deadline' | 'trail'>,
  keys: readonly EntryKey[],
): Promise<(Held | null)[]> {
  const found = await timed(deps, call, 'journalMs', () =>
    Promise.all(keys.map(key => deps.steps.read(key, call.deadline))),
  );
  return found.map(each => {
    if (each === undefined) throw refuse('journalAway', call.message);
    return each;
  });
}

const FAULTS = {
  '12': ['invalidTransaction', 'originalTranId', 'names a transaction that cannot be reversed'],
  '13': ['invalidAmount', 'tranAmount', 'must be the amount and currency of the original: reversals are in full'],
  '02': ['invalidCardNumber', 'cardNumber', 'must be the card of the original'],
} as const;

function judgeReversal(deps: JourneyDeps, { message, client, line }: Call, original: Held): Named {
  const { entry } = original;
  const stored = deps.vault.openMessage(entry.key, entry.message);
  const code = reversalFault(reversalClaimOf(message, client.id, line.id, deps.vault), entry, stored);
  if (code === null) return { kind: 'free', original };
  if (code === '25') return { kind: 'refused', code };
  const [reason, field, rule] = FAULTS[code];
  // A message has one of the two.
  const isToken = field === 'cardNumber' && message.fields.reveal().cardToken !== undefined;
  throw refuse(reason, message, [{ field: isToken ? 'cardToken' : field, reason: rule }]);
}
