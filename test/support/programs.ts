/**
 * Finds a program that the tests cannot do without and that npm does not bring, or gets it from the machine's package
 * manager, without a question and without a service being left running. What is needed is a row; how to get it is here.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

export type Need = {
  /** What people call it, with its article. */
  readonly what: string;
  /** The names that it may have on the path, and absolute paths where it may be. */
  readonly names: readonly string[];
  /** Its package by package manager. */
  readonly packages: Readonly<Record<Manager, string>>;
};

type Manager = 'apt-get' | 'apk' | 'dnf' | 'brew';

/** Package managers in the order in which they are looked for, with what installs a package without a question. */
const MANAGERS: readonly {
  readonly program: Manager;
  readonly needsRoot: boolean;
  readonly commands: (name: string) => readonly (readonly string[])[];
}[] = [
  {
    program: 'apt-get',
    needsRoot: true,
    commands: name => [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', name],
    ],
  },
  { program: 'apk', needsRoot: true, commands: name => [['apk', 'add', '--quiet', '--no-cache', name]] },
  { program: 'dnf', needsRoot: true, commands: name => [['dnf', 'install', '-y', '-q', name]] },
  { program: 'brew', needsRoot: false, commands: name => [['brew', 'install', '--quiet', name]] },
];

/** Long enough for a slow mirror, short enough that a hanging one is noticed. */
const INSTALL_TIMEOUT_MS = 300_000;
/** Debian starts a service when it installs one, unless this file says no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** What to do where the program is not there and cannot be got. */
const adviceOn = ({ what, packages }: Need): string =>
  `The tests need ${what}: install one (Debian or Ubuntu: apt-get install ${packages['apt-get']}, macOS: brew install ${packages.brew}) and run npm test again.`;

/** The path of the program; undefined where there is none. */
export const findNeed = ({ names }: Need, path = process.env.PATH ?? ''): string | undefined =>
  names.map(name => findProgram(name, path)).find(found => found !== undefined);

/** The path of the program. @throws Error that says what to install. */
export function pathOfNeed(need: Need): string {
  const found = findNeed(need);
  if (found === undefined) throw new Error(adviceOn(need));
  return found;
}

/** Gets the program where it is missing, and says what to install where that fails. Tells whether it is there. */
export function provideNeed(need: Need): boolean {
  if (findNeed(need) !== undefined) return true;
  console.error(`No ${need.what.replace(/^an? /, '')} found; installing one for the tests ...`);
  install(need, process.env.PATH ?? '');
  if (findNeed(need) !== undefined) return true;
  console.error(adviceOn(need));
  return false;
}

function findProgram(name: string, path: string): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined;
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

/** Installs it with the first package manager that may be used; true when every command ended well. */
function install({ packages }: Need, path: string): boolean {
  const isRoot = process.getuid?.() === 0;
  const manager = MANAGERS.find(({ program, needsRoot }) => (isRoot || !needsRoot) && findProgram(program, path));
  if (!manager) return false;
  const runAll = () => manager.commands(packages[manager.program]).every(run);
  return manager.program === 'apt-get' ? withoutServiceStart(runAll) : runAll();
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
