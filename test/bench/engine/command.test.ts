/**
 * The commands of the bench as they are typed: what is wrong with an argument is one sentence and exit code 2, help is no
 * error, and neither starts anything.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../../bench/peers/process.ts';

const run = promisify(execFile);

/** The exit code and both streams, whatever came of it. */
async function said(file: string, option: string) {
  const ended = await run(process.execPath, [file, option], { cwd: ROOT }).then(
    streams => ({ code: 0, ...streams }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const { code, stdout, stderr } = ended;
  return { code, stdout, stderr };
}

describe.each([
  'bench/bench.ts',
  'bench/overload/overload.ts',
  'bench/scale/scale.ts',
  'bench/report/document.ts',
  'bench/load/load.ts',
])('%s', file => {
  it('refuses an unknown option in one sentence, without a stack', async () => {
    const { code, stdout, stderr } = await said(file, '--nonsense');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')[0]).toContain('--nonsense');
    expect(stderr).toContain('npm run ');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('explains itself', async () => {
    const { code, stdout, stderr } = await said(file, '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^(Usage: )?npm run [a-z]+ -- /);
  });
});
