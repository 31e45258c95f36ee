/**
 * Ctrl-C in the middle of a run: the server that was filled and the folders with gigabytes in them do not stay behind.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startChild } from '../../support/children.ts';
import { removeDir, tempDir } from '../../support/places.ts';
import { waitFor } from '../../support/waitFor.ts';

const PROGRAM = fileURLToPath(new URL('../../../bench/scale/scale.ts', import.meta.url));
/** More than is written before the signal comes; the first are told of after some thousand. */
const ENTRIES = '1000000';

/** Of servers whose log is under this folder. */
const serversUnder = (folder: string): number[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('redis.log'))
    .map(name => Number(/^(\d+):/.exec(readFileSync(join(folder, name), 'utf8'))?.[1]));

it.each(['redis', 'sqlite'])('leaves nothing of %s behind', async journal => {
  const folder = tempDir('interrupted');
  const args = [PROGRAM, '--only', 'journal', '--journals', journal, '--entries', ENTRIES, '--seconds', '1'];
  const child = await startChild(process.execPath, args, {
    env: { ...process.env, TMPDIR: folder },
  });
  onTestFinished(async () => {
    await child.kill();
    removeDir(folder);
  });
  await waitFor('entries', () => child.stderr().includes(' entries\n'));
  expect(readdirSync(folder).some(name => name.includes('scale'))).toBe(true);
  const servers = serversUnder(folder);
  expect(servers).toHaveLength(journal === 'redis' ? 1 : 0);
  child.signal('SIGINT');
  expect(await child.exited).not.toBe(0);
  await waitFor('the end of all that was started', () => {
    const isRunning = servers.some(pid => existsSync(`/proc/${pid}`));
    return !isRunning && readdirSync(folder).length === 0;
  });
});
