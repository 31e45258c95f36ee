/** The only place that looks at the process's environment, and what it says about where the configuration is. */
import type { Env } from './substitute.ts';

/** The environment of this process. */
export const environment: Env = process.env;

const DEFAULT_FILE = 'config/sandbox.yaml';

/**
 * The configuration file: `--config FILE` (or `--config=FILE`), else `GATEWAY_CONFIG`, else that of the sandbox. Undefined
 * when `--config` stands there without a file.
 */
export const configFile = (args: readonly string[], env: Env): string | undefined => {
  const joined = args.find(arg => arg.startsWith('--config='));
  if (joined !== undefined) return joined.slice('--config='.length) || undefined;
  const at = args.indexOf('--config');
  if (at >= 0) return args[at + 1];
  return env.GATEWAY_CONFIG || DEFAULT_FILE;
};

export type SandboxPlaces = { readonly dir: string; readonly issuerPort: number };

const ISSUER_PORT_DEFAULT = 7070;

/** Where `npm start` and `npm run call` find the sandbox. Throws where the port is not a number from 0 to 65535. */
export const sandboxPlaces = (env: Env): SandboxPlaces => {
  const issuerPort = Number(env.SANDBOX_ISSUER_PORT || ISSUER_PORT_DEFAULT);
  if (!Number.isInteger(issuerPort) || issuerPort < 0 || issuerPort > 65_535) {
    throw new Error('SANDBOX_ISSUER_PORT must be a port from 0 to 65535; 0 takes a free one');
  }
  return { dir: env.SANDBOX_DIR || 'var/sandbox', issuerPort };
};
