/**
 * A caller's Reversal and its original. The undo lives in the original's entry, whoever asks for it: here a Reversal is
 * judged against the original, and the original is marked. The journey does it live, and the deliveries do it again for
 * a Reversal whose gateway died; marking is idempotent.
 */
import { apiByName, rowOf } from '../catalogue/apis.ts';
import { messageOf } from '../catalogue/message.ts';
import { apply, type Entry, type Sealed } from '../domain/entry.ts';
import type { ClientId, EntryKey, IssuerId } from '../domain/ids.ts';
import type { Message, WireFields } from '../domain/message.ts';
import { type Money, sameMoney } from '../domain/money.ts';
import type { ResponseCode } from '../domain/responseCode.ts';
import type { StoredMessage, Vault } from '../journal/journal.ts';
import type { Held, Steps } from '../journal/steps.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** What a Reversal says of its original. */
export type ReversalClaim = {
  readonly original: EntryKey;
  readonly client: ClientId;
  readonly issuer: IssuerId;
  readonly amount: Money | null;
  readonly fields: WireFields;
  /** The Reversal as stored; a tombstone is made of it. */
  sealFor(key: EntryKey): Sealed;
};

/** Why a Reversal may not touch this original: null where it may. `12`, `13` and `02` are the message's own faults. */
export type ReversalFault = Extract<ResponseCode, '25' | '12' | '13' | '02'>;

export function reversalFault(reversal: ReversalClaim, original: Entry, stored: StoredMessage): ReversalFault | null {
  if (original.client !== reversal.client) return '25';
  if (original.api && !apiByName(original.api)?.reversible) return '12';
  if (!original.amount || !reversal.amount || !sameMoney(original.amount, reversal.amount)) return '13';
  return namesOtherCard(stored.fields, reversal.fields) ? '02' : null;
}

/** A token cannot be compared with a number; the undo is made of the original's own card either way. */
const namesOtherCard = (a: WireFields, b: WireFields): boolean =>
  ['cardToken', 'cardNumber'].some(name => a[name] !== undefined && b[name] !== undefined && a[name] !== b[name]);

export type Marked =
  /** The original's entry after the mark; its undo may be due now, or never. */
  | { readonly kind: 'marked'; readonly held: Held }
  | { readonly kind: 'fault'; readonly code: ReversalFault }
  | { readonly kind: 'unsure' };

/**
 * Marks the original as reversed, or buries a tombstone where there is none yet. Idempotent. `known` is the original as it
 * was read just now, null where there was none; the move finds out if that has changed.
 */
export async function markOriginal(
  steps: Steps,
  vault: Vault,
  reversal: ReversalClaim,
  deadline: Deadline,
  known?: Held | null,
): Promise<Marked> {
  let held = known === undefined ? await steps.read(reversal.original, deadline) : known;
  if (held === null) {
    const buried = await steps.claim(tombstoneOf(reversal), deadline);
    if (buried.kind === 'fresh') return { kind: 'marked', held: buried.held };
    held = buried.kind === 'exists' ? buried.held : undefined;
  }
  if (!held) return { kind: 'unsure' };
  const code = reversalFault(reversal, held.entry, vault.openMessage(held.entry.key, held.entry.message));
  if (code) return { kind: 'fault', code };
  const moved = await steps.move(held, (entry, now) => apply(entry, { type: 'mark', now }), deadline);
  return moved.kind === 'done' ? { kind: 'marked', held: moved.held } : { kind: 'unsure' };
}

const tombstoneOf = (reversal: ReversalClaim) =>
  ({
    birth: 'tombstone',
    key: reversal.original,
    client: reversal.client,
    issuer: reversal.issuer,
    policy: 'reverse',
    amount: reversal.amount,
    message: reversal.sealFor(reversal.original),
  }) as const;

export type Followed =
  /** The Reversal's answer; with `original` where the mark may have made an undo due. */
  | { readonly kind: 'followed'; readonly code: '00' | ReversalFault; readonly original: Held | null }
  | { readonly kind: 'unsure' };

/** What a Reversal says of its original. Throws where it names none, which `parse` has ruled out. */
export function reversalClaimOf(message: Message, client: ClientId, issuer: IssuerId, vault: Vault): ReversalClaim {
  const { originalTranId, header, amount, fields } = message;
  if (!originalTranId) throw new Error('a Reversal names no original');
  return {
    original: { participantId: header.participantId, tranId: originalTranId },
    client,
    issuer,
    amount: amount ?? null,
    fields: fields.reveal(),
    sealFor: key => vault.sealMessage(key, message),
  };
}

/** Follows a Reversal to its original, from the Reversal's journal entry alone. Idempotent. */
export async function followReversal(
  steps: Steps,
  vault: Vault,
  entry: Entry,
  deadline: Deadline,
  known?: Held | null,
): Promise<Followed> {
  const { api, header, fields } = vault.openMessage(entry.key, entry.message);
  const reversal = reversalClaimOf(messageOf(rowOf(api), header, fields), entry.client, entry.issuer, vault);
  const marked = await markOriginal(steps, vault, reversal, deadline, known);
  switch (marked.kind) {
    case 'marked':
      return { kind: 'followed', code: '00', original: marked.held };
    case 'fault':
      return { kind: 'followed', code: marked.code, original: null };
    case 'unsure':
      return marked;
  }
}

/** A Reversal whose caller was told `00`. */
export const isApprovedReversal = ({ policy, standing }: Entry): boolean =>
  policy === 'undo' && standing.at === 'settled' && standing.answer.code === '00';
