/**
 * A configuration that is read once and made several times: what was kept makes the same configuration, whatever was
 * edited or removed meanwhile, and survives the way to another process.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { loadAndKeep, loadKept } from '../../src/config/snapshot.ts';
import { place, sampleWith } from './sample.ts';

it('is made again of what was read, although the files say something else by now', async () => {
  const text = sampleWith(['"bank-token"', '"${file:bank.token}"'], ['port: 8080', 'port: ${PORT}']);
  const path = place(text, { 'bank.token': 'a-token\n' });
  const { result, snapshot } = await loadAndKeep(path, { PORT: '8123' });
  writeFileSync(path, 'broken: [');
  rmSync(join(dirname(path), 'bank.token'));
  rmSync(join(dirname(path), 'seal.key'));
  const again = await loadKept(JSON.parse(JSON.stringify(snapshot)));
  expect(again).toEqual(result);
  expect(again.ok && [again.config.server.port, again.config.issuers[0]?.credentials]).toMatchObject([
    8123,
    { kind: 'bearer' },
  ]);
  expect(again.ok && again.config.journal.sealKeys[0].reveal()).toEqual(
    result.ok && result.config.journal.sealKeys[0].reveal(),
  );
});

it('has the problems that it had, too', async () => {
  const { result, snapshot } = await loadAndKeep(place(sampleWith(['seal.key', 'none.key'])), {});
  expect([result.ok, await loadKept(snapshot)]).toEqual([false, result]);
});
