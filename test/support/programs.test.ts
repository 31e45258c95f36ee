/**
 * Getting a Redis server and a browser, on machines made up of a path with stand-ins for package managers: one that works, one that
 * does not, none at all.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startChild } from './children.ts';
import { tempDir } from './places.ts';

const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const ADVICE = /^The tests need a Redis server: install one .*\n$/m;

/** A folder with programs, each a shell script. */
function machine(programs: Readonly<Record<string, string>>): string {
  const dir = tempDir('machine');
  for (const [name, script] of Object.entries(programs)) {
    const file = join(dir, name);
    writeFileSync(file, `#!/bin/sh\n${script.replaceAll('$DIR', dir)}\n`);
    chmodSync(file, 0o755);
  }
  return dir;
}

async function run(path: string, name = 'redisBinary'): Promise<{ code: number | null; printed: string }> {
  const child = await startChild(process.execPath, [script(name)], { env: { PATH: path } });
  return { code: await child.exited, printed: child.stdout() + child.stderr() };
}

it.each(['redis-server', 'valkey-server'])('says nothing where there is a %s', async name => {
  expect(await run(machine({ [name]: 'exit 0', brew: 'exit 1' }))).toEqual({ code: 0, printed: '' });
});

it('installs one, quietly', async () => {
  const brew = 'echo noise; [ "$*" = "install --quiet redis" ] && /bin/cp "$DIR/brew" "$DIR/redis-server"';
  const { code, printed } = await run(machine({ brew }));
  expect([code, printed]).toEqual([0, 'No Redis server found; installing one for the tests ...\n']);
});

it.each([
  ['no package manager', {}],
  ['one that fails', { brew: 'echo broken; exit 1' }],
  ['one that says that all is well but brings nothing', { brew: 'exit 0' }],
])('says in one sentence what to install: %s', async (_, programs) => {
  const { code, printed } = await run(machine(programs));
  expect(code).toBe(1);
  expect(printed).toMatch(ADVICE);
  expect(printed).not.toContain('broken');
});

it('goes on without a browser, and says in one sentence what to install', async () => {
  const { code, printed } = await run(machine({ brew: 'exit 1' }), 'chromiumBinary');
  expect(code).toBe(0);
  expect(printed).toMatch(/^The tests need a Chromium browser: install one .*\n$/m);
  expect(await run(machine({ chromium: 'exit 0' }), 'chromiumBinary')).toEqual({ code: 0, printed: '' });
});
