/**
 * Starts the peer on nginx: finds nginx and its Lua module, writes its configuration for this run, and runs it with one
 * worker. What it does is in `nginx/`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OWNER_ONLY } from '../../src/keys/keyFiles.ts';
import { findNeed } from '../../test/support/programs.ts';
import { sha256Hex } from './credentials.ts';
import { newPlace, ownDir, startProgram } from './process.ts';
import { freshDatabase } from './redis.ts';
import type { Credentials, Peer, World } from './types.ts';

const HERE = fileURLToPath(new URL('nginx', import.meta.url));
const NGINX = {
  what: 'nginx',
  names: ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/openresty/nginx/sbin/nginx'],
  packages: { 'apt-get': 'nginx', apk: 'nginx', dnf: 'nginx', brew: 'nginx' },
};
/** In this order: the second needs the first. */
const MODULES = ['ndk_http_module.so', 'ngx_http_lua_module.so'];
const MODULE_DIRS = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];
const CJSON = [
  '/usr/lib/*/lua/5.1/cjson.so',
  '/usr/{lib,local/lib,lib64}/lua/5.1/cjson.so',
  '/usr/local/openresty/lualib/cjson.so',
];
const ADVICE = 'Debian or Ubuntu: apt-get install nginx libnginx-mod-http-lua lua-resty-core lua-cjson';

/** Why nginx cannot be measured here; undefined where it can. */
export async function nginxIsAvailable(): Promise<string | undefined> {
  if (findNeed(NGINX) === undefined) return `nginx is not installed (${ADVICE})`;
  if (moduleLines() === undefined) return `nginx has no Lua module (${ADVICE})`;
  return globSync(CJSON).length === 0 ? `lua-cjson is not installed (${ADVICE})` : undefined;
}

export async function startNginx(world: World): Promise<Peer> {
  const { port, url } = await newPlace();
  const dir = ownDir(world.dir, 'nginx');
  const configFile = join(dir, 'nginx.conf');
  const issuer = new URL(world.issuerUrl);
  const words = {
    MODULES: moduleLines() ?? '',
    DIR: dir,
    HERE,
    PORT: String(port),
    ISSUER: issuer.host,
    ISSUER_TOKEN: world.credentials.issuerToken,
  };
  const database = await freshDatabase(world.redisUrl);
  const settings = settingsOf(database.url, world.credentials);
  writeFileSync(join(dir, 'settings.json'), JSON.stringify(settings), { mode: OWNER_ONLY });
  writeFileSync(configFile, filledIn(readFileSync(join(HERE, 'nginx.conf'), 'utf8'), words), { mode: OWNER_ONLY });
  const command = [findNeed(NGINX) ?? 'nginx', '-p', dir, '-e', join(dir, 'error.log'), '-c', configFile];
  const { pid, startMs, stop } = await startProgram({ name: 'nginx', command, pin: world.pin, dir, port });
  const stopAll = async () => {
    await stop();
    await database.release();
  };
  return { url, pids: [pid], startMs, stop: stopAll };
}

/** The text with each `@WORD@` replaced. @throws Error naming a word that there is no value for. */
export const filledIn = (template: string, words: Readonly<Record<string, string>>): string =>
  template.replaceAll(/@([A-Z_]+)@/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`nginx.conf wants a value for ${word}`);
    return value;
  });

/** What `gateway.lua` reads. Of the tokens it has the hashes alone, as the gateway does. */
export function settingsOf(redisUrl: string, { bearerClients, participantId }: Credentials): object {
  const { hostname, port, pathname } = new URL(redisUrl);
  const clients = bearerClients.flatMap(({ id, tokens }) =>
    tokens.map(token => [sha256Hex(token), { id, participants: { [participantId]: true } }] as const),
  );
  const redis = { host: hostname, port: Number(port), database: Number(pathname.slice(1) || 0) };
  return { redis, clients: Object.fromEntries(clients) };
}

/** The lines that load the Lua module, none where it is built in; undefined where nginx has none. */
function moduleLines(): string | undefined {
  const nginx = findNeed(NGINX);
  if (nginx === undefined) return undefined;
  // It prints its build on standard error.
  const build = execFileSync('/bin/sh', ['-c', '"$0" -V 2>&1', nginx], { encoding: 'utf8' });
  if (/--add-module=\S*ngx_lua/.test(build)) return '';
  const own = /--modules-path=(\S+)/.exec(build)?.[1];
  const dir = [...(own === undefined ? [] : [own]), ...MODULE_DIRS].find(each =>
    MODULES.every(name => existsSync(join(each, name))),
  );
  return dir && MODULES.map(name => `load_module ${join(dir, name)};`).join('\n');
}
