/**
 * `npm run openapi`: the same document as a gateway shows, as a file or on standard output, the same bytes every time.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runOpenapi } from '../../src/openapi/write.ts';
import { startChild } from '../support/children.ts';
import { tempDir } from '../support/places.ts';
import { DOCUMENT } from './validator.ts';

async function run(...args: readonly string[]): Promise<{ code: number; printed: string }> {
  const lines: string[] = [];
  const code = await runOpenapi(args, text => lines.push(text));
  return { code, printed: lines.join('\n') };
}

describe('npm run openapi', () => {
  it('writes the document to a file, and says which', async () => {
    const file = join(tempDir('openapi'), 'api.json');
    expect(await run(file)).toEqual({ code: 0, printed: file });
    const first = readFileSync(file, 'utf8');
    expect(JSON.parse(first)).toEqual(DOCUMENT);
    await run(file);
    expect(readFileSync(file, 'utf8')).toBe(first);
  });

  it('prints it for "-"', async () => {
    const { code, printed } = await run('-');
    expect([code, JSON.parse(printed)]).toEqual([0, DOCUMENT]);
  });

  it.each([
    [['--help'], 0],
    [['--config', 'x.yaml'], 2],
    [['one.json', 'two.json'], 2],
  ] as const)('says how it is used: %j', async (args, code) => {
    expect(await run(...args)).toMatchObject({ code, printed: expect.stringContaining('Usage: npm run openapi') });
  });

  it('is a command of the project; a file that cannot be written is told, with exit code 1', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const child = await startChild(process.execPath, ['src/cli.ts', 'openapi', '/nowhere/api.json'], { cwd: root });
    expect(await child.exited).toBe(1);
    expect(child.stderr()).toMatch(/ENOENT.*\/nowhere\/api\.json/);
  });
});
