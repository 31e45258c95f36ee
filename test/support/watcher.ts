/**
 * Cleans up after the test process, however it ends. A small shell watches a pipe from it; when the pipe closes, which
 * also happens after `kill -9`, it kills the child processes that are left and removes the temporary folders. The test
 * runner ends its workers without their exit handlers, so nothing in the process itself could do this.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Part of the name of every temporary folder: the watcher removes nothing else. */
export const FOLDER_MARK = 'gateway-test-';

/** Reads `+ pid`, `- pid` and `d folder` until its input ends. */
const SCRIPT = `
live=""
while read -r op what; do
  case $op in
    +) live="$live $what" ;;
    -) rest=""
       for pid in $live; do [ "$pid" = "$what" ] || rest="$rest $pid"; done
       live=$rest ;;
    d) case $what in */${FOLDER_MARK}*) set -- "$@" "$what" ;; esac ;;
  esac
done
for pid in $live; do kill -9 "$pid" 2>/dev/null; done
if [ $# -gt 0 ]; then rm -rf -- "$@"; fi
`;

let input: Writable | undefined;

/** The process is ended with the test process, unless `unwatchProcess` is told that it has ended before. */
export const watchProcess = (pid: number): void => tell(`+ ${pid}`);
export const unwatchProcess = (pid: number): void => tell(`- ${pid}`);
/** The folder is removed with the test process. */
export const watchFolder = (path: string): void => tell(`d ${path}`);

function tell(line: string): void {
  input ??= start();
  input.write(`${line}\n`);
}

function start(): Writable {
  // In a session of its own, so that the Ctrl-C that ends the test run does not end the watcher first.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  // Node's pipes to children are sockets; this one must not keep the test process alive either.
  (shell.stdin as Writable & { unref?: () => void }).unref?.();
  shell.stdin.on('error', () => {});
  return shell.stdin;
}
