/**
 * Entries to fill a journal with: made by the moves of `domain/entry` and sealed by the vault, so that a journal stores
 * what it would have stored if a gateway had written them one by one.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { apiByName } from '../../src/catalogue/apis.ts';
import { Fault } from '../../src/config/fault.ts';
import { parseSealKeys } from '../../src/config/sealKeys.ts';
import { apply, born, type Entry, type Event, type Sealed } from '../../src/domain/entry.ts';
import {
  type ApiName,
  type ClientId,
  type EntryKey,
  type IssuerId,
  keyText,
  type ParticipantId,
  type TranId,
} from '../../src/domain/ids.ts';
import type { Message } from '../../src/domain/message.ts';
import { Secret } from '../../src/domain/secret.ts';
import { parseMessage } from '../../src/edge/parse.ts';
import type { Vault } from '../../src/journal/journal.ts';
import { createVault } from '../../src/journal/vault.ts';
import { purchaseAround } from '../peers/loads.ts';

const LEASE_MS = 5_000;
const RETENTION_HOURS = 168;
const HEX = 16;
const HALF_CHARS = 8;
const HALF = 2 ** 32;
const ID_CHARS = 32;

export const PARTICIPANT = '100000';
export const ISSUER = 'core-bank';

const half = (value: number): string => Math.floor(value).toString(HEX).padStart(HALF_CHARS, '0');

/** The id of number `index`: as those of callers, in no order, and spread evenly over all ids that there are. */
export const filledId = (index: number): TranId =>
  `${hash('sha1', String(index)).slice(0, HALF_CHARS)}${half(index)}`.padEnd(ID_CHARS, '0') as TranId;

/** The name of the entry of number `index`, as journals know it. */
export const nameOf = (index: number): string => keyText(keyOf(filledId(index)));

/** An id anywhere among the filled ones. `fraction`: from 0 to 1. */
export const newId = (fraction: number, number: number): TranId =>
  `${half(fraction * HALF)}${half(number)}`.padEnd(ID_CHARS, 'f') as TranId;

export function vaultOf(sealKeyFile: string): Vault {
  const keys = parseSealKeys(readFileSync(sealKeyFile, 'utf8'));
  if (keys instanceof Fault) throw new Error('the seal key of the bench cannot be read');
  return createVault(keys);
}

/** The Purchase of the bench under this key, as the edge reads it. */
export function purchaseOf({ participantId, tranId }: EntryKey): Message {
  const row = apiByName('Purchase');
  if (!row) throw new Error('the catalogue has no Purchase');
  const { before, after } = purchaseAround(participantId, new Date());
  const context = { participants: new Set([participantId]), wallMs: Date.now(), retentionHours: RETENTION_HOURS };
  return parseMessage(row, Buffer.from(before + tranId + after), context);
}

/** What the issuer of the bench says. */
const APPROVAL = {
  ...({ code: '00', desc: 'approved' } as const),
  fields: new Secret({ authCode: '123456', availableBalance: '987.50', balanceCurrency: '840' }),
};

export const keyOf = (tranId: TranId, participantId = PARTICIPANT): EntryKey => ({
  tranId,
  participantId: participantId as ParticipantId,
});

export const draftOf = (key: EntryKey, message: Sealed, issuer: string) => ({
  ...({ birth: 'claim', policy: 'reverse', leaseMs: LEASE_MS } as const),
  ...{ key, message, client: 'wallet-0' as ClientId, issuer: issuer as IssuerId, api: 'Purchase' as ApiName },
  amount: purchaseAmount,
});

const purchaseAmount = purchaseOf(keyOf(filledId(0))).amount ?? null;

export type Texts = { readonly message: Sealed; readonly answer: Sealed };

/** Sealed texts as long as the real ones, for entries that are never opened: sealing each would take most of the time. */
export function sampleTexts(vault: Vault): Texts {
  const key = keyOf(filledId(0));
  return { message: vault.sealMessage(key, purchaseOf(key)), answer: vault.sealAnswer(key, APPROVAL) };
}

/** How nearly every entry ends. `now`: on the journal's clock. */
export const approvedBy = ({ fence }: Entry, { answer }: Texts, now: number): Event => ({
  ...({ type: 'settle', fence, now } as const),
  outcome: { kind: 'answered', answer: { code: '00', sealed: answer } },
});

/** A Purchase whose outcome nobody knows: its Reversal is due now. */
export function dueEntry(key: EntryKey, vault: Vault, issuer: string, now: number): Entry {
  const claimed = born(draftOf(key, vault.sealMessage(key, purchaseOf(key)), issuer), now);
  return apply(claimed, { type: 'settle', fence: claimed.fence, outcome: { kind: 'unknown' }, now });
}
