/**
 * Starts the programs of the bench: pinned, with their output in a file as in a real deployment, and gone with the bench
 * even when that is killed. How long a port took to accept is measured here, since it belongs to the start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/places.ts';
import { unwatchProcess, watchProcess } from '../../test/support/watcher.ts';
import type { Pin, Stop } from './types.ts';

/** The project's folder: programs are named from here. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOST = '127.0.0.1';
/** A cold start on a busy machine takes seconds, on a very busy one many; more than this is a program that hangs. */
const START_MS = 60_000;
/** A drain waits for its callers' budgets at most; after this it is not going to end. */
const STOP_MS = 10_000;
/** Finer than what is measured with it, a start of some hundred milliseconds. */
const LOOK_MS = 2;
/** What is said of a program that did not start. */
const TAIL_CHARS = 2_000;

export type Program = {
  /** Names its files. */
  readonly name: string;
  readonly command: readonly string[];
  readonly pin: Pin;
  /** Its own, with its output in `NAME.log` and `NAME.err`; it goes when the program is stopped. */
  readonly dir: string;
  /** It listens here when it is ready. */
  readonly port: number;
};

export type Started = {
  readonly pid: number;
  /** Until the port accepted. */
  readonly startMs: number;
  readonly stop: Stop;
};

/** Starts a program and waits until its port accepts. @throws Error with the end of what it printed. */
export async function startProgram({ name, command, pin, dir, port }: Program): Promise<Started> {
  mkdirSync(dir, { recursive: true });
  const logFile = join(dir, `${name}.log`);
  const errorFile = join(dir, `${name}.err`);
  const begun = performance.now();
  const child = spawned(pin(command), logFile, errorFile);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} cannot be started: is ${pin(command)[0]} installed?`);
  watchProcess(pid);
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  void ended.then(() => unwatchProcess(pid));
  const startMs = await untilAccepting(child, port, begun);
  if (startMs === undefined) {
    await end(child, ended);
    throw new Error(`${name} did not start:\n${tailOf(errorFile)}${tailOf(logFile)}`);
  }
  const stop = async () => {
    await end(child, ended);
    // Journals and logs of seconds of load fill a disk soon.
    rmSync(dir, { recursive: true, force: true });
  };
  return { pid, startMs, stop };
}

/** Before the paths of the APIs, of gateways and issuers alike. */
export const BASE_PATH = '/card-api';

export type Place = {
  readonly port: number;
  /** Scheme, host and port. */
  readonly origin: string;
  /** The origin and the base path. */
  readonly url: string;
};

/** A free port, and the address of what will listen there. */
export async function newPlace(): Promise<Place> {
  const port = await freePort();
  const origin = `http://${HOST}:${port}`;
  return { port, origin, url: origin + BASE_PATH };
}

/** As in the image of the Dockerfile: only the first start of all compiles. */
const NODE_COMPILE_CACHE = join(ROOT, 'node_modules/.cache/compiled');

let started = 0;

/** A folder of its own for one start. */
export function ownDir(dir: string, name: string): string {
  started += 1;
  const own = join(dir, `${name}-${started}`);
  mkdirSync(own, { recursive: true });
  return own;
}

function spawned(command: readonly string[], logFile: string, errorFile: string): ChildProcess {
  const [program = '', ...args] = command;
  const [out, error] = [openSync(logFile, 'a'), openSync(errorFile, 'a')];
  try {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { NODE_COMPILE_CACHE, ...process.env },
      stdio: ['ignore', out, error],
    });
    // A program that is not there says so by this event; that it has no pid is looked at by the caller.
    child.on('error', () => undefined);
    return child;
  } finally {
    closeSync(out);
    closeSync(error);
  }
}

async function untilAccepting(child: ChildProcess, port: number, begun: number): Promise<number | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    const ms = performance.now() - begun;
    if (await accepts(port)) return ms;
    if (ms > START_MS) return undefined;
    await sleep(LOOK_MS);
  }
  return undefined;
}

const accepts = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ port, host: HOST });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(late);
}

const tailOf = (file: string): string => readFileSync(file, 'utf8').slice(-TAIL_CHARS);
