/**
 * Takes `journal.url` apart: `sqlite:path`, `redis://`, `rediss://` (TLS), and lists of hosts behind `redis+sentinel://`,
 * `redis+cluster://` and their `rediss+` forms. It is not a URL as browsers know it, since it may name several hosts.
 */
import { resolve } from 'node:path';
import { Secret } from '../domain/secret.ts';
import { parseHostPort } from './addresses.ts';
import type { HostPort, JournalCredentials, JournalTarget } from './config.ts';
import { Fault } from './fault.ts';

const SCHEMES = 'sqlite:path, redis://, rediss://, redis+sentinel://h:p,h:p/name or redis+cluster://h:p,h:p';
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const NODES_MAX = 64;

/** Proves a journal address; a relative SQLite path is relative to `directory`. Faults never quote the address. */
export const parseJournalUrl = (text: string, directory: string): JournalTarget | Fault => {
  if (text.startsWith('sqlite:')) return sqlite(text.slice('sqlite:'.length), directory);
  const match = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^/]*)@)?([^/@]*)(?:\/(.*))?$/s.exec(text);
  if (match === null) return new Fault('is not the address of a journal', `write ${SCHEMES}`);
  const [, tls, kind, login, hosts = '', rest = ''] = match;
  const credentials = parseLogin(login);
  if (credentials instanceof Fault) return credentials;
  const nodes = parseNodes(hosts, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT);
  if (nodes instanceof Fault) return nodes;
  const common = { tls: tls === 's', ...credentials };
  if (kind === 'sentinel') return sentinel(nodes, rest, common);
  if (kind === 'cluster') return cluster(nodes, rest, common);
  return single(nodes, rest, common);
};

type Common = { readonly tls: boolean } & JournalCredentials;
type Nodes = readonly [HostPort, ...HostPort[]];

const sqlite = (path: string, directory: string): JournalTarget | Fault => {
  if (path === '') return new Fault('names no file', 'write sqlite:path, or sqlite::memory: for tests');
  if (path === ':memory:') return { kind: 'sqlite', file: ':memory:' };
  return { kind: 'sqlite', file: resolve(directory, path) };
};

const single = (nodes: Nodes, db: string, common: Common): JournalTarget | Fault => {
  if (nodes.length > 1) return new Fault('names several hosts', 'use redis+sentinel:// or redis+cluster:// for them');
  if (!/^([0-9]{1,5})?$/.test(db)) return new Fault('has a database that is not a number', 'write redis://host:port/0');
  return { kind: 'redis', ...nodes[0], db: Number(db), ...common };
};

const sentinel = (nodes: Nodes, name: string, common: Common): JournalTarget | Fault => {
  if (/^[A-Za-z0-9._-]+$/.test(name)) return { kind: 'sentinel', nodes, name, ...common };
  return new Fault("does not end with the master's name", 'write redis+sentinel://host:port,host:port/name');
};

const cluster = (nodes: Nodes, rest: string, common: Common): JournalTarget | Fault => {
  if (rest === '') return { kind: 'cluster', nodes, ...common };
  return new Fault('has a path, and a cluster has no databases', 'remove what follows the hosts');
};

const parseNodes = (text: string, portDefault: number): Nodes | Fault => {
  const nodes: HostPort[] = [];
  for (const part of text.split(',')) {
    const node = parseHostPort(part, portDefault);
    if (node === undefined) return new Fault('has a host that is not host:port', `write ${SCHEMES}`);
    nodes.push(node);
  }
  const [first, ...others] = nodes;
  if (first === undefined || nodes.length > NODES_MAX)
    return new Fault('names too many hosts', `name ${NODES_MAX} at most`);
  return [first, ...others];
};

const LOGIN_MEND = 'write user:password, with any of %:/@ in them as %25 %3A %2F %40';

const parseLogin = (login: string | undefined): JournalCredentials | Fault => {
  if (login === undefined) return { username: undefined, password: undefined };
  if (login.includes('@')) return new Fault('has more than one @', LOGIN_MEND);
  const [username = '', password, ...more] = login.split(':');
  if (password === undefined || password === '' || more.length > 0)
    return new Fault('has a login without a password', LOGIN_MEND);
  try {
    const user = decodeURIComponent(username);
    return { username: user === '' ? undefined : user, password: new Secret(decodeURIComponent(password)) };
  } catch {
    return new Fault('has a login that is not percent-encoded', LOGIN_MEND);
  }
};

/** The hosts of a journal that is reached over a network; none for SQLite. */
export const journalHosts = (target: JournalTarget): readonly HostPort[] => {
  switch (target.kind) {
    case 'sqlite':
      return [];
    case 'redis':
      return [{ host: target.host, port: target.port }];
    case 'sentinel':
    case 'cluster':
      return target.nodes;
  }
};

/** The journal as it may be logged: its kind and hosts, no login. */
export const describeJournal = (target: JournalTarget): string => {
  if (target.kind === 'sqlite') return `sqlite ${target.file}`;
  const hosts = journalHosts(target).map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return `${target.kind} ${hosts.join(',')}${target.tls ? ' (TLS)' : ''}`;
};
