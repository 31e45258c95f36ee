/**
 * Finds a Redis server, or gets one. The tests run against a real one, started privately by each of them; `npm test`
 * runs this file first, so that a fresh machine needs no other step. Where nothing can be installed it says, in one
 * sentence, what to install.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SERVERS = ['redis-server', 'valkey-server'];
/** Package managers in the order in which they are looked for, with what installs a server without a question. */
const INSTALLERS: readonly { readonly program: string; readonly needsRoot: boolean; readonly commands: string[][] }[] =
  [
    {
      program: 'apt-get',
      needsRoot: true,
      commands: [
        ['apt-get', 'update', '-qq'],
        ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
      ],
    },
    { program: 'apk', needsRoot: true, commands: [['apk', 'add', '--quiet', '--no-cache', 'redis']] },
    { program: 'dnf', needsRoot: true, commands: [['dnf', 'install', '-y', '-q', 'redis']] },
    { program: 'brew', needsRoot: false, commands: [['brew', 'install', '--quiet', 'redis']] },
  ];
const ADVICE =
  'The tests need a Redis server: install one (Debian or Ubuntu: apt-get install redis-server, macOS: brew install redis) and run npm test again.';
/** Long enough for a slow mirror, short enough that a hanging one is noticed. */
const INSTALL_TIMEOUT_MS = 300_000;
/** Debian starts a service when it installs one, unless this file says no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** The path of a Redis or Valkey server; undefined where there is none. */
export const findRedisServer = (path = process.env.PATH ?? ''): string | undefined =>
  SERVERS.map(name => findProgram(name, path)).find(found => found !== undefined);

/** The path of a Redis or Valkey server. @throws Error that says what to install. */
export function redisServerPath(): string {
  const found = findRedisServer();
  if (found === undefined) throw new Error(ADVICE);
  return found;
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installs a server with the first package manager that may be used; true when every command ended well. */
function install(path: string): boolean {
  const isRoot = process.getuid?.() === 0;
  const installer = INSTALLERS.find(({ program, needsRoot }) => (isRoot || !needsRoot) && findProgram(program, path));
  if (!installer) return false;
  const runAll = () => installer.commands.every(run);
  return installer.program === 'apt-get' ? withoutServiceStart(runAll) : runAll();
}

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' };
  return spawnSync(program, args, { env, stdio: 'ignore', timeout: INSTALL_TIMEOUT_MS }).status === 0;
}

/** The tests start their own servers: an installation must not leave a service running on this machine. */
function withoutServiceStart(run: () => boolean): boolean {
  // A machine that has such a file already has decided for itself.
  const mine = !existsSync(POLICY);
  if (mine) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return run();
  } finally {
    if (mine) rmSync(POLICY);
  }
}

if (import.meta.main && findRedisServer() === undefined) {
  console.error('No Redis server found; installing one for the tests ...');
  install(process.env.PATH ?? '');
  if (findRedisServer() === undefined) {
    console.error(ADVICE);
    process.exitCode = 1;
  }
}
