/**
 * A journal that grows: what an entry takes up is what filling added, whatever else was written between two sizes.
 */
import { expect, it, onTestFinished } from 'vitest';
import { sampleTexts } from '../../../bench/scale/entries.ts';
import { Growing } from '../../../bench/scale/growing.ts';
import { type OpenJournal, openJournal, type Taken } from '../../../bench/scale/journals.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createVault } from '../../../src/journal/vault.ts';
import { removeDir, tempDir } from '../../support/places.ts';

/** The journal, with what it says that it takes up, before and after each fill. */
async function telling(...told: Taken[]): Promise<{ readonly open: OpenJournal; readonly dir: string }> {
  const dir = tempDir('scale');
  const open = await openJournal('sqlite', dir);
  onTestFinished(async () => {
    await open.close();
    removeDir(dir);
  });
  const taken = async () => told.shift() ?? expect.fail('asked once more');
  return { open: Object.create(open, { taken: { value: taken } }), dir };
}

it('counts what was filled, and nothing that was written in between', async () => {
  const { open, dir } = await telling(
    { memoryBytes: 500, diskBytes: 1_000 },
    { memoryBytes: 1_500, diskBytes: 3_000 },
    { memoryBytes: 70_000, diskBytes: 90_000 },
    { memoryBytes: 72_000, diskBytes: 94_000 },
  );
  const said: string[] = [];
  const texts = sampleTexts(createVault([new Secret(new Uint8Array(32).fill(7))]));
  const growing = new Growing(open, { name: 'sqlite', dir, texts, say: line => void said.push(line) });
  expect(await growing.growTo(100)).toBeUndefined();
  expect(growing.perEntry).toEqual({ memoryBytes: 10, diskBytes: 20 });
  expect(await growing.growTo(300)).toBeUndefined();
  expect(growing.perEntry).toEqual({ memoryBytes: 10, diskBytes: 20 });
  expect(said.at(-1)).toContain('of 300 entries');
});
