/**
 * The sandbox as `npm start` runs it, in a process of its own, on ports that it chooses itself unless it is told others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './children.ts';
import { get } from './client.ts';
import { waitFor } from './waitFor.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ANY_PORT = { GATEWAY_PORT: '0', GATEWAY_ADMIN_PORT: '0', SANDBOX_ISSUER_PORT: '0' };

export type Credentials = {
  readonly baseUrl: string;
  readonly adminUrl: string;
  readonly issuerUrl: string;
  readonly bearer: { readonly token: string; readonly participantId: string };
  readonly oauth: Readonly<Record<string, string>>;
  readonly cards: readonly Readonly<Record<string, string>>[];
};

/** What the sandbox in the folder has written. */
export const credentialsIn = (dir: string): Credentials =>
  JSON.parse(readFileSync(join(dir, 'credentials.json'), 'utf8'));

/** Runs a script of the project, such as `src/cli.ts`, that finds the sandbox in the folder. */
export const runScript = (
  dir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Child> =>
  startChild(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: '', VITEST: '', NODE_OPTIONS: '', NO_COLOR: '1', SANDBOX_DIR: dir, ...env },
  });

/** Starts the sandbox and waits until it is ready. */
export async function startSandboxProcess(
  dir: string,
  env: Readonly<Record<string, string>> = ANY_PORT,
): Promise<Child> {
  const child = await runScript(dir, ['src/cli.ts', 'sandbox'], env);
  await waitFor(
    `the sandbox to be ready\n${child.stderr()}`,
    async () => {
      if (!child.alive()) throw new Error(child.stderr());
      return (await get(`${credentialsIn(dir).adminUrl}/readyz`)).status === 200;
    },
    { everyMs: 50 },
  );
  return child;
}
