/**
 * The messages that the gateway itself sends to end a doubt. They are a function of the journal entry alone, so that
 * whoever carries a duty out, and however often, sends the same bytes under the same `tranId`.
 */
import { hash } from 'node:crypto';
import { REVERSAL, rowOf, UNBLOCK } from '../catalogue/apis.ts';
import { messageOf } from '../catalogue/message.ts';
import type { Entry } from '../domain/entry.ts';
import type { ApiName, EntryKey, TranId } from '../domain/ids.ts';
import type { Message, WireFields } from '../domain/message.ts';
import type { StoredMessage } from '../journal/journal.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const DERIVED_LENGTH = 30;

/** `RV` and 30 characters of base32 (RFC 4648) of SHA-256 over participant, original, kind and try: 150 bits. */
export function derivedTranId(original: EntryKey, kind: ApiName, undoNo: number): TranId {
  const digest = hash('sha256', JSON.stringify([original.participantId, original.tranId, kind, undoNo]), 'buffer');
  let text = 'RV';
  for (let i = 0; i < DERIVED_LENGTH; i += 1) text += BASE32.charAt(fiveBits(digest, i * 5));
  return text as TranId;
}

function fiveBits(bytes: Uint8Array, bit: number): number {
  const at = bit >> 3;
  const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return (pair >> (11 - (bit & 7))) & 31;
}

/** What a derived message takes from the stored one: its card, amount and currency, as they were sent. */
const COPIED = ['cardToken', 'cardNumber', 'tranAmount', 'tranCurrency'];

/** The API that carries this entry's duty out: the undo of its policy, or the original's own for a repeat. */
export function apiOfDuty(entry: Entry): ApiName {
  const repeats = entry.duty.is === 'due' && entry.duty.kind === 'repeat' && entry.api;
  return repeats || (entry.policy === 'release' ? UNBLOCK : REVERSAL).name;
}

/**
 * The message that carries this entry's duty out. A repeat is the original again: only messages without `sad` are ever
 * repeated, so nothing is missing. An undo names the original and copies its card, amount and currency as sent.
 */
export function dutyMessage(entry: Entry, stored: StoredMessage): Message {
  const api = apiOfDuty(entry);
  if (api === entry.api) return messageOf(rowOf(api), stored.header, stored.fields);
  const copied: WireFields = Object.fromEntries(
    COPIED.flatMap(name => (stored.fields[name] === undefined ? [] : [[name, stored.fields[name]]])),
  );
  const header = { ...stored.header, tranId: derivedTranId(entry.key, api, entry.undoNo) };
  return messageOf(rowOf(api), header, { ...copied, originalTranId: entry.key.tranId });
}
