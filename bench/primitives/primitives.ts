/**
 * Operations measured by themselves, one row each, in the engine's terms: what each is, whether it can be measured here, and
 * what was done of it in one round.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCoreList } from '../engine/cores.ts';
import { ownDir, ROOT } from '../peers/process.ts';
import { freshDatabase, redisIsAvailable } from '../peers/redis.ts';
import type { Pin, World } from '../peers/types.ts';
import { opensslCommand, opensslIsAvailable, parseOpensslSpeed } from './openssl.ts';
import type { Input, OperationName } from './operations.ts';
import type { PrimitiveRow } from './types.ts';

const run = promisify(execFile);
/** What is measured on several cores is measured on so many. */
const CORES = 2;
/** A start, a warm-up, the measurement twice over, and a busy machine. */
const WITHIN_MS = 120_000;
const OUTPUT_MAX = 1024 * 1024;

const always = async (): Promise<undefined> => undefined;

/** Two cores, where the machine has more and can be told; the command itself where not. */
const onTwoCores: Pin = command => {
  const cores = parseCoreList(/^Cpus_allowed_list:\s*(\S+)/m.exec(statusText())?.[1] ?? '').slice(0, CORES);
  return cores.length < CORES ? command : ['taskset', '-c', cores.join(','), ...command];
};

function statusText(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

async function outputOf(command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  const { stdout } = await run(program, args, { cwd: ROOT, timeout: WITHIN_MS, maxBuffer: OUTPUT_MAX });
  return stdout;
}

/** What an operation needs; only that of Redis gets a database. */
async function withInput<T>(
  { credentials, redisUrl, dir }: World,
  name: OperationName,
  use: (input: Input) => Promise<T>,
): Promise<T> {
  const sealed = credentials.oauthClients.find(({ payload }) => payload === 'encrypted');
  const database = name === 'journalRedis' ? await freshDatabase(redisUrl) : undefined;
  const own = ownDir(dir, 'operation');
  try {
    const { payloadKeyFile } = credentials;
    const clientKeysFile = sealed?.keysFile ?? '';
    return await use({ payloadKeyFile, clientKeysFile, redisUrl: database?.url ?? '', dir: own });
  } finally {
    await database?.release();
    rmSync(own, { recursive: true, force: true });
  }
}

type Row = Omit<PrimitiveRow, 'name'>;
type Measured = Omit<Row, 'what'>;

const operation = (name: OperationName, cores: PrimitiveRow['cores'] = 1): Measured => ({
  cores,
  isAvailable: name === 'journalRedis' ? redisIsAvailable : always,
  measure: (world, seconds) =>
    withInput(world, name, async input => {
      const program = [process.execPath, join(ROOT, 'bench/primitives/run.ts')];
      const command = [...program, name, String(seconds), JSON.stringify(input)];
      const output = await outputOf(cores === 1 ? world.pin(command) : onTwoCores(command));
      return JSON.parse(output.trim().split('\n').at(-1) ?? '');
    }),
});

const openssl = (processes: number): Measured => ({
  cores: processes === 1 ? 1 : 'all',
  isAvailable: opensslIsAvailable,
  measure: async ({ pin }, seconds) => {
    const command = opensslCommand(seconds, processes);
    return { perSecond: parseOpensslSpeed(await outputOf(processes === 1 ? pin(command) : onTwoCores(command))) };
  },
});

export const PRIMITIVES = {
  rsaPrivate: { what: 'RSA-2048 private operation, bare, node:crypto', ...operation('rsaPrivate') },
  opensslRsa: { what: 'RSA-2048 private operation, openssl speed', ...openssl(1) },
  opensslRsaTwo: { what: 'RSA-2048 private operation, openssl speed -multi 2', ...openssl(CORES) },
  jweOpen: { what: 'JWE opened, one core', ...operation('jweOpen') },
  jweOpenTwo: { what: 'JWE opened, one process on two cores', ...operation('jweOpen', 'all') },
  jweSeal: { what: 'JWE sealed', ...operation('jweSeal') },
  journalRedis: { what: 'Journal in Redis: claim and settle', ...operation('journalRedis') },
  journalSqlite: { what: 'Journal in SQLite, durable: claim and settle', ...operation('journalSqlite') },
  issuerBare: { what: 'A send to an issuer that answers at once', ...operation('issuerBare') },
  breaker: { what: 'The same through the breaker', ...operation('breaker') },
  breakerFailing: { what: 'The same, every tenth send failing', ...operation('breakerFailing') },
} as const satisfies Record<string, Row>;

export type PrimitiveName = keyof typeof PRIMITIVES;

/** The row with its name, as the engine takes it. */
export const primitiveRow = (name: PrimitiveName): PrimitiveRow => ({ name, ...PRIMITIVES[name] });
