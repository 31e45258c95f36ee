/**
 * Child processes of tests. They are ended by their own pid only, and they never outlive the test process, even when
 * that is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from './waitFor.ts';
import { unwatchProcess, watchProcess } from './watcher.ts';

/** What Node made of the sources for an earlier child: starting hundreds of them is then half the work. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));

/** How much of a child's output is kept; a test that prints more has another problem. */
const OUTPUT_MAX = 16 * 1024 * 1024;

export type Child = {
  readonly pid: number;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /** Whether it still runs (a stopped process does). */
  alive(): boolean;
  /** Its exit code, or null where a signal ended it. */
  readonly exited: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once and waits until it is gone; does nothing when it is gone already. */
  kill(): Promise<void>;
};

export type ChildOptions = { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv };

/**
 * Starts a program.
 *
 * @throws Error when the program cannot be started at all.
 */
export async function startChild(program: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const env = { NODE_COMPILE_CACHE, ...(options.env ?? process.env) };
  const child = spawn(program, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} has no pid`);
  watchProcess(pid);
  // 'close' rather than 'exit': by then everything that it printed has been read.
  const exited = new Promise<number | null>(resolve => child.once('close', resolve));
  child.once('exit', () => unwatchProcess(pid));
  const output = { stdout: collect(child, 'stdout'), stderr: collect(child, 'stderr') };
  const alive = () => child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (alive()) process.kill(pid, name);
  };
  const kill = async () => {
    signal('SIGKILL');
    await within(`the end of process ${pid}`, exited);
  };
  return { pid, ...output, alive, exited, signal, kill };
}

function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  child[stream]?.on('data', (chunk: Buffer) => {
    if (length > OUTPUT_MAX) return;
    chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
