/**
 * Our own gateway as a peer: the program in the form in which it is deployed, with a complete configuration and everything
 * switched on, its log going to a file. Only its journal differs, and for one comparison the breaker is taken out.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OWNER_ONLY } from '../../src/keys/keyFiles.ts';
import { sha256Hex } from './credentials.ts';
import { BASE_PATH, newPlace, ownDir, ROOT, startProgram } from './process.ts';
import { type Database, freshDatabase } from './redis.ts';
import type { Credentials, Peer, World } from './types.ts';

const READY_MS = 60_000;
const LOOK_MS = 5;

export type GatewayKind = {
  readonly journal: 'redis' | 'sqlite';
  /** Options of Node before the program. */
  readonly nodeOptions?: readonly string[];
};

export const WITHOUT_BREAKER = ['--import', './bench/peers/withoutBreaker.ts'];

/** Starts a gateway and waits until it is ready. */
export async function startGateway(world: World, { journal, nodeOptions = [] }: GatewayKind): Promise<Peer> {
  const [main, admin] = [await newPlace(), await newPlace()];
  const dir = ownDir(world.dir, `gateway-${journal}`);
  const database = journal === 'redis' ? await freshDatabase(world.redisUrl) : inFile(dir);
  const journalUrl = database.url;
  const { issuerUrl, credentials } = world;
  const config = gatewayConfig({ port: main.port, adminPort: admin.port, issuerUrl, journalUrl, credentials });
  const configFile = join(dir, 'gateway.yaml');
  // JSON is YAML, too.
  writeFileSync(configFile, JSON.stringify(config), { mode: OWNER_ONLY });
  const { pid, startMs, stop } = await startProgram({
    name: 'gateway',
    command: [process.execPath, ...nodeOptions, join(ROOT, 'src/main.ts'), '--config', configFile],
    pin: world.pin,
    dir,
    port: main.port,
  });
  const stopAll = async () => {
    await stop();
    await database.release();
  };
  await untilReady(admin.origin, stopAll);
  return { url: main.url, pids: [pid], startMs, adminUrl: admin.origin, stop: stopAll };
}

/** It goes with the folder. */
const inFile = (dir: string): Database => ({
  url: `sqlite:${join(dir, 'gateway.db')}`,
  release: async () => undefined,
});

export type ConfigInput = {
  readonly port: number;
  readonly adminPort: number;
  readonly issuerUrl: string;
  readonly journalUrl: string;
  readonly credentials: Credentials;
};

/** The file as in the design, section 8; what is not named has its default. */
export function gatewayConfig({ port, adminPort, issuerUrl, journalUrl, credentials }: ConfigInput): object {
  const host = '127.0.0.1';
  const { participantId, issuerToken, sealKeyFile, tokenKeyFile, payloadKeyFile } = credentials;
  return {
    server: { host, port, basePath: BASE_PATH },
    admin: { host, port: adminPort },
    journal: { url: journalUrl, sealKeyFile, retentionHours: 168 },
    oauth: {
      issuer: `http://${host}:${port}`,
      accessTokenMinutes: 60,
      signingKeyFiles: [tokenKeyFile],
      decryptionKeyFiles: [payloadKeyFile],
    },
    clients: clientsOf(credentials),
    issuers: [
      {
        id: 'core-bank',
        baseUrl: issuerUrl,
        balanceHeldBy: 'issuer',
        credentials: { bearer: issuerToken },
      },
    ],
    routes: [{ participant: participantId, issuer: 'core-bank' }],
  };
}

function clientsOf({ participantId, bearerClients, oauthClients }: Credentials): readonly object[] {
  const common = {
    participants: [participantId],
    product: 'prepaid',
    scopes: ['Transaction'],
    allowFrom: ['127.0.0.0/8', '::1/128'],
  };
  return [
    ...bearerClients.map(({ id, tokens }) => ({ id, ...common, bearer: { tokenSha256: tokens.map(sha256Hex) } })),
    ...oauthClients.map(({ id, payload, keysFile }) => ({ id, ...common, oauth: { keysFile }, payload })),
  ];
}

/** The port accepts before everything behind it is up. */
async function untilReady(adminUrl: string, stop: Peer['stop']): Promise<void> {
  const end = performance.now() + READY_MS;
  while (performance.now() < end) {
    const status = await fetch(`${adminUrl}/readyz`).then(
      async response => {
        await response.body?.cancel();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    await sleep(LOOK_MS);
  }
  await stop();
  throw new Error('the gateway did not get ready');
}
