/**
 * The processes themselves. They are Node's cluster: the supervisor holds the listening socket, so that a second gateway on
 * the port is noticed and nothing that waits to be accepted is lost with a worker, and deals connections out in turn. What
 * a worker logs comes through the supervisor, in whole lines: several writers on one pipe would cut into each other.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Readable } from 'node:stream';
import type { Ask, Told } from './calls.ts';

/** How a process ended: with a code, or by a signal. */
export type Ended = { readonly code: number | null; readonly signal: string | null };

export type WorkerProcess = {
  readonly pid: number;
  /** To one that has ended it is lost. */
  readonly send: (message: Ask) => void;
  /** SIGKILL. */
  readonly kill: () => void;
  readonly onTold: (take: (told: Told) => void) => void;
  /** When it is gone and all that it logged has been read. Never rejects. */
  readonly ended: Promise<Ended>;
};

export type Fork = () => WorkerProcess;

/** A line of the log is far shorter; what has no end by then is passed on as it is. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 10;

/** Starts processes that run this program; whole lines of what they print go to `onLines`. */
export const forkOf = (program: string, onLines: (lines: string) => void): Fork => {
  // Connections in turn, whatever the environment says: what the kernel would do leaves some workers idle.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: program, args: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  return () => workerProcess(cluster.fork(), onLines);
};

const workerProcess = (worker: Worker, onLines: (lines: string) => void): WorkerProcess => {
  const child = worker.process;
  if (child.stdout) readLines(child.stdout, onLines);
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    // It could not be started at all; a failed message is told to whoever sent it.
    worker.on('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  return {
    pid: child.pid ?? 0,
    send: message => {
      if (worker.isConnected()) worker.send(message, undefined, undefined, () => undefined);
    },
    kill: () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    },
    onTold: take => void worker.on('message', (told: Told) => take(told)),
    ended,
  };
};

const readLines = (stream: Readable, onLines: (lines: string) => void): void => {
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = all.length > LINE_BYTES_MAX && !all.includes(NEWLINE) ? all.length : all.lastIndexOf(NEWLINE) + 1;
    if (end > 0) onLines(all.toString('utf8', 0, end));
    rest = all.subarray(end);
  });
  stream.on('end', () => {
    if (rest.length > 0) onLines(`${rest.toString('utf8')}\n`);
  });
};
