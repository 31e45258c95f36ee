/** The command that checks a configuration: its lines, its exit code, and which file it looks at. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/checkConfig.ts';
import { configFile } from '../../src/config/environment.ts';
import { nearest } from '../../src/config/suggest.ts';
import { place, SAMPLE, sampleWith } from './sample.ts';

const run = async (path: string) => {
  const lines: string[] = [];
  return { code: await checkConfig(path, {}, line => lines.push(line)), lines };
};

describe('check-config', () => {
  test('a good file: one line, exit code 0', async () => {
    const path = place(SAMPLE);
    expect(await run(path)).toEqual({ code: 0, lines: [`${path}: 0 problems, 0 warnings`] });
  });

  test('problems and warnings: one line each, in order, exit code 1', async () => {
    const path = place(
      sampleWith(['port: 8080', 'prot: 8080'], ['port: 9090', 'port: x'], ['    allowFrom: []\n', '']),
    );
    const { code, lines } = await run(path);
    expect(code).toBe(1);
    expect(lines.map(line => line.replace(path, 'FILE'))).toEqual([
      'problem  FILE:1: server.port: is missing; add it',
      'problem  FILE:3: server.prot: is not a key of the configuration; did you mean port?',
      'problem  FILE:7: admin.port: is text, not a number; write a whole number from 0 to 65535',
      expect.stringMatching(/^warning {2}FILE:19: clients\[1\]\.allowFrom: is missing/),
      'FILE: 3 problems, 1 warning',
    ]);
  });

  test('warnings alone: exit code 0', async () => {
    expect((await run(place(sampleWith(['    allowFrom: []\n', ''])))).code).toBe(0);
  });

  test('runs as a command', async () => {
    const script = join(import.meta.dirname, '../../src/cli.ts');
    const command = (path: string) => promisify(execFile)(process.execPath, [script, 'check-config', path]);
    expect((await command(place(SAMPLE))).stdout).toMatch(/: 0 problems, 0 warnings\n$/);
    await expect(command('/nowhere.yaml')).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('is not there'),
    });
  });
});

test('which file is the configuration', () => {
  expect(configFile([], {})).toBe('config/sandbox.yaml');
  expect(configFile([], { GATEWAY_CONFIG: '' })).toBe('config/sandbox.yaml');
  expect(configFile([], { GATEWAY_CONFIG: 'a' })).toBe('a');
  expect(configFile(['--config', 'b'], { GATEWAY_CONFIG: 'a' })).toBe('b');
  expect(configFile(['--config=b'], { GATEWAY_CONFIG: 'a' })).toBe('b');
  expect(configFile(['--config'], { GATEWAY_CONFIG: 'a' })).toBeUndefined();
  expect(configFile(['--config='], {})).toBeUndefined();
});

test('suggestions: swapped, dropped, added and changed letters, never something else', () => {
  const known = ['port', 'participants', 'tokenSha256'];
  expect(['prot', 'por', 'ports', 'pord', 'Port'].map(word => nearest(word, known))).toEqual(Array(5).fill('port'));
  expect(nearest('tokenSHA256', known)).toBe('tokenSha256');
  expect(nearest('particpiants', known)).toBe('participants');
  expect(['', 'x', 'host', 'server', 'a'.repeat(10_000)].map(word => nearest(word, known))).toEqual(
    Array(5).fill(undefined),
  );
});
