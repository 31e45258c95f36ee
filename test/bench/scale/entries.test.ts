/**
 * What a journal is filled with: entries as a gateway writes them, under ids that ascend and are spread over all there are.
 */
import { describe, expect, it } from 'vitest';
import { dueEntry, filledId, keyOf, newId, sampleTexts, settledEntry } from '../../../bench/scale/entries.ts';
import { filingOf } from '../../../src/domain/filing.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { decode, headOf } from '../../../src/journal/record.ts';
import { createVault } from '../../../src/journal/vault.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const vault = createVault([new Secret(new Uint8Array(32).fill(7))]);

describe('the ids', () => {
  it('ascend, are as long as they may be, and reach over the whole range', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => filledId(index, 1000));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
    expect(new Set(ids.map(id => id.length))).toEqual(new Set([32]));
    expect(ids.at(-1)?.startsWith('ff')).toBe(true);
  });

  it('asked for later lie between them', () => {
    const id = newId(0.5, 1);
    expect(id > filledId(499, 1000) && id < filledId(501, 1000)).toBe(true);
    expect(id).toHaveLength(32);
  });
});

describe('the entries', () => {
  it('settled ones wait for nothing and are read back as they were', () => {
    const texts = sampleTexts(vault);
    const entry = settledEntry(keyOf(filledId(3, 10)), texts, NOW);
    expect(filingOf(entry)).toEqual({ wake: null, owedSince: null, expires: true });
    const stored = { version: entry.version, at: NOW, head: headOf(entry), message: entry.message };
    expect(decode(entry.key, { ...stored, answer: texts.answer })).toEqual(entry);
  });

  it('due ones are Reversals for their issuer, with a message that opens', () => {
    const key = keyOf(filledId(3, 10), '200000');
    const entry = dueEntry(key, vault, 'away-bank', NOW);
    expect(filingOf(entry).wake).toEqual({ lane: 'away-bank', at: NOW });
    expect(entry.duty).toMatchObject({ is: 'due', kind: 'undo' });
    expect(vault.openMessage(key, entry.message).header.tranId).toBe(key.tranId);
  });
});
