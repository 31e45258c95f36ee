/**
 * The machine and the versions of everything that takes part, for whoever reads the numbers later.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../peers/process.ts';
import type { Machine, Occasion } from '../results.ts';

/** Packages of the gateway's hot path and of the peers. */
const PACKAGES = [
  'hono',
  '@hono/node-server',
  'undici',
  'ioredis',
  'jose',
  'opossum',
  'pino',
  'prom-client',
  'fastify',
  '@fastify/http-proxy',
  'autocannon',
];

/** Programs that say their version, and where in what they say it stands. */
const PROGRAMS: readonly (readonly [name: string, command: readonly string[], pattern: RegExp])[] = [
  ['redis', ['redis-server', '--version'], /v=(\S+)/],
  ['nginx', ['nginx', '-v'], /nginx\/(\S+)/],
  ['wrk', ['wrk', '-v'], /wrk (\S+)/],
  ['openssl (program)', ['openssl', 'version'], /OpenSSL (\S+)/],
];
const GIB = 1024 ** 3;

export function machineHere(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round((totalmem() / GIB) * 10) / 10,
    system: `${type()} ${release()}`,
    loadBefore: loadNow(),
    versions: { node: process.versions.node, openssl: process.versions.openssl, ...packages(), ...programs() },
  };
}

/** To be asked for before the measurement: it tells how busy the machine was without it. */
export const occasionHere = (): Occasion => ({ startedAt: new Date().toISOString(), machine: machineHere() });

/** Processes that ran or wanted to, on average over the last minute. */
export const loadNow = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

function packages(): Record<string, string> {
  return Object.fromEntries(
    PACKAGES.flatMap(name => {
      try {
        const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
        return [[name, String(version)]];
      } catch {
        return [];
      }
    }),
  );
}

function programs(): Record<string, string> {
  return Object.fromEntries(
    PROGRAMS.flatMap(([name, [program = '', ...args], pattern]) => {
      const version = pattern.exec(saidBy(program, args))?.[1];
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

/** What it prints on both streams, whatever its exit code: wrk's is 1 where it is asked for its version. */
function saidBy(program: string, args: readonly string[]): string {
  const { PATH = '' } = process.env;
  // nginx is where only root looks.
  const env = { ...process.env, PATH: `${PATH}:/usr/sbin:/usr/local/sbin` };
  try {
    return execFileSync('sh', ['-c', '"$0" "$@" 2>&1 || true', program, ...args], { encoding: 'utf8', env });
  } catch {
    return '';
  }
}
