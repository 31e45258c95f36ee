/**
 * Says whether a running gateway can take over a new configuration. Clients, keys, issuers and routes are exchanged
 * while it runs; whatever else differs needs a restart, and then nothing of the new configuration is taken.
 */
import type { Config, JournalTarget, Problem } from './config.ts';

type Fixed = { readonly path: string; readonly of: (config: Config) => unknown };

/** A login counts as part of the address: the connections of the journal are made once. */
const plainTarget = (target: JournalTarget): unknown =>
  target.kind === 'sqlite' ? target : { ...target, password: target.password?.reveal() };

/** What is set up once, when the process starts. */
const FIXED: readonly Fixed[] = [
  { path: 'server.host', of: config => config.server.host },
  { path: 'server.port', of: config => config.server.port },
  { path: 'server.basePath', of: config => config.server.basePath },
  { path: 'server.trustedProxies', of: config => config.server.trustedProxies },
  { path: 'server.workers', of: config => config.server.workers },
  { path: 'server.openapi', of: config => config.server.openapi },
  { path: 'server.docs', of: config => config.server.docs },
  // The certificates themselves are exchanged; whether there is TLS, and whether callers show one, is not.
  { path: 'server.tls', of: config => config.server.tls !== undefined },
  { path: 'server.tls.clientCaFile', of: config => config.server.tls?.clientCa !== undefined },
  { path: 'admin.host', of: config => config.admin.host },
  { path: 'admin.port', of: config => config.admin.port },
  { path: 'journal.url', of: config => plainTarget(config.journal.target) },
  { path: 'journal.retentionHours', of: config => config.journal.retentionHours },
  { path: 'journal.amnesiaMinutes', of: config => config.journal.amnesiaMinutes },
  { path: 'journal.replicas', of: config => config.journal.replicas },
  { path: 'oauth.issuer', of: config => config.oauth?.issuer },
  { path: 'oauth.accessTokenMinutes', of: config => config.oauth?.accessTokenMinutes },
];

const lineOf = (config: Config, path: string): number =>
  config.lines.get(path) ?? config.lines.get(path.split('.')[0] ?? '') ?? 1;

/** Everything in `next` that a gateway running with `old` cannot take over; empty when it can take over all of it. */
export const reloadable = (old: Config, next: Config): readonly Problem[] =>
  FIXED.filter(({ of }) => JSON.stringify(of(old)) !== JSON.stringify(of(next))).map(({ path }) => ({
    file: next.file,
    line: lineOf(next, path),
    path,
    what: 'cannot change while the gateway runs',
    mend: 'change it back and reload, or restart the gateway',
  }));
