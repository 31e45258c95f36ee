/**
 * The command line behind `npm start`, `npm run call`, `npm run keys` and `npm run check-config`. Each command is a row
 * of one table; what a command does is in the modules it calls, which are loaded for it alone.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configFile, environment, sandboxPlaces, settlePool } from './config/environment.ts';
import { systemClock } from './runtime/clock.ts';
import { systemRandom } from './runtime/random.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

const SANDBOX_CONFIG = fileURLToPath(new URL('../config/sandbox.yaml', import.meta.url));
const LOOPBACK = '127.0.0.1';

/** The gateway with the sandbox's configuration, and the demo issuer, in this one process. */
async function sandbox(): Promise<number> {
  const [{ prepareSandbox, writeCredentials }, { startDemoIssuer }, { firstCall }, { serve }] = await Promise.all([
    import('./sandbox/credentials.ts'),
    import('./sandbox/demoIssuer.ts'),
    import('./sandbox/firstCall.ts'),
    import('./main.ts'),
  ]);
  const places = sandboxPlaces(environment);
  const dir = resolve(places.dir);
  const credentials = await prepareSandbox({ dir, clock: systemClock, random: systemRandom });
  const basePath = '/card-api';
  const issuer = await startDemoIssuer({
    credentials,
    host: LOOPBACK,
    port: places.issuerPort,
    basePath,
    clock: systemClock,
  });
  let ready = false;
  try {
    return await serve({
      file: SANDBOX_CONFIG,
      env: {
        ...environment,
        SANDBOX_DIR: dir,
        SANDBOX_ISSUER_PORT: String(issuer.port),
        ...(await settledPort(environment.GATEWAY_PORT)),
      },
      alsoReady: () => ready,
      onListening: async (gateway, config) => {
        const at = (port: number) => `http://${LOOPBACK}:${port}`;
        const baseUrl = at(gateway.port) + basePath;
        const oauthIssuer = config.oauth?.issuer ?? at(gateway.port);
        const urls = { baseUrl, adminUrl: at(gateway.adminPort), issuerUrl: issuer.url, oauthIssuer };
        await writeCredentials(credentials, urls, systemRandom);
        print(firstCall(credentials, baseUrl, systemClock, systemRandom));
        ready = true;
      },
    });
  } finally {
    await issuer.close();
  }
}

/**
 * The gateway's identifier for OAuth holds its port, which is part of the configuration and so must be known before there
 * is a gateway: where a free port is asked for, it is chosen here.
 */
async function settledPort(asked: string | undefined): Promise<{ readonly GATEWAY_PORT?: string }> {
  if (asked?.trim() === '' || Number(asked) !== 0) return {};
  const { freePort } = await import('./sandbox/freePort.ts');
  return { GATEWAY_PORT: String(await freePort(LOOPBACK)) };
}

type Command = { readonly does: string; readonly run: (args: readonly string[]) => Promise<number> };

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['sandbox', { does: 'run the gateway and a demo issuer (npm start)', run: sandbox }],
  [
    'call',
    {
      does: 'send one call to the running sandbox (npm run call -- --help)',
      run: async args => {
        const { runCall } = await import('./sandbox/call.ts');
        const sandboxDir = resolve(sandboxPlaces(environment).dir);
        return runCall(args, { sandboxDir, clock: systemClock, random: systemRandom }, print);
      },
    },
  ],
  [
    'keys',
    {
      does: 'make, exchange and compare keys (npm run keys -- --help)',
      run: async args => {
        const { runKeys } = await import('./keys/keys.ts');
        return runKeys(args, { clock: systemClock, random: systemRandom }, { print, complain });
      },
    },
  ],
  [
    'openapi',
    {
      does: 'write the OpenAPI document (npm run openapi -- FILE)',
      run: async args => {
        const { runOpenapi } = await import('./openapi/write.ts');
        return runOpenapi(args, print);
      },
    },
  ],
  [
    'check-config',
    {
      does: 'say everything that is wrong with a configuration (npm run check-config -- FILE)',
      run: async ([file]) => {
        const { checkConfig } = await import('./config/checkConfig.ts');
        return checkConfig(file ?? configFile([], environment) ?? '', environment, print);
      },
    },
  ],
]);

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  settlePool();
  const command = COMMANDS.get(name);
  if (command) return command.run(args);
  print('Usage: node src/cli.ts COMMAND\n');
  for (const [each, { does }] of COMMANDS) print(`  ${each.padEnd(14)}${does}`);
  return 2;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'unexpected error'}\n`);
  process.exit(1);
}
