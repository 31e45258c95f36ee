/**
 * What a journal is filled with: entries as a gateway writes them, under ids that are spread over all there are.
 */
import { describe, expect, it } from 'vitest';
import {
  approvedBy,
  draftOf,
  dueEntry,
  filledId,
  ISSUER,
  keyOf,
  nameOf,
  newId,
  sampleTexts,
} from '../../../bench/scale/entries.ts';
import { apply, born } from '../../../src/domain/entry.ts';
import { filingOf } from '../../../src/domain/filing.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createVault } from '../../../src/journal/vault.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const vault = createVault([new Secret(new Uint8Array(32).fill(7))]);

describe('the ids', () => {
  it('are as long as they may be, all different, in no order, and everywhere', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => filledId(index));
    expect(new Set(ids).size).toBe(1000);
    expect(new Set(ids.map(id => id.length))).toEqual(new Set([32]));
    expect(new Set(ids.map(id => id[0])).size).toBe(16);
    const ascents = ids.filter((id, index) => index > 0 && id > (ids[index - 1] ?? '')).length;
    expect(ascents).toBeGreaterThan(400);
    expect(ascents).toBeLessThan(600);
  });

  it('asked for later are others, anywhere between', () => {
    expect(newId(0.5, 1)).toMatch(/^80000000/);
    expect(newId(0.5, 1)).toHaveLength(32);
    expect(newId(0.5, 1)).not.toBe(newId(0.5, 2));
  });

  it('name their entries', () => {
    expect(nameOf(3)).toBe(`${filledId(3)}/100000`);
  });
});

describe('the entries', () => {
  it('end settled, and then wait for nothing', () => {
    const texts = sampleTexts(vault);
    const claimed = born(draftOf(keyOf(filledId(3)), texts.message, ISSUER), NOW);
    const entry = apply(claimed, approvedBy(claimed, texts, NOW));
    expect(filingOf(entry)).toEqual({ wake: null, owedSince: null, expires: true });
    expect(entry.standing).toEqual({ at: 'settled', answer: { code: '00', sealed: texts.answer } });
  });

  it('due ones are Reversals for their issuer, with a message that opens', () => {
    const key = keyOf(filledId(3), '200000');
    const entry = dueEntry(key, vault, 'away-bank', NOW);
    expect(filingOf(entry).wake).toEqual({ lane: 'away-bank', at: NOW });
    expect(entry.duty).toMatchObject({ is: 'due', kind: 'undo' });
    expect(vault.openMessage(key, entry.message).header.tranId).toBe(key.tranId);
  });
});
