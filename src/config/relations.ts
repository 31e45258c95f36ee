/**
 * Checks what spans several keys: keys that need or exclude each other, and limits that contradict each other. A limit
 * that is at its default counts like one that is written out.
 */
import { APIS } from '../catalogue/apis.ts';
import type { Findings, Path } from './findings.ts';
import { HOUR_MS, REMEMBERS_HOURS_DEFAULT, SETTLE_RESERVE_MS } from './limits.ts';
import type { Draft, Drafts } from './schema.ts';
import { type Programme, resolveScopes } from './scopes.ts';
import { didYouMean } from './suggest.ts';

const API_NAMES: readonly string[] = APIS.map(row => row.name);

/** Reports every contradiction. */
export const checkRelations = (drafts: Drafts, findings: Findings): void => {
  checkPorts(drafts, findings);
  checkDocs(drafts, findings);
  checkReplicas(drafts, findings);
  checkWorkers(drafts, findings);
  for (const [index, client] of (drafts.clients ?? []).entries()) {
    const path = ['clients', index];
    checkAccess(client, path, drafts, findings);
    checkNotEmpty(client, path, findings);
    checkScopes(client, path, drafts, findings);
  }
  for (const [index, issuer] of (drafts.issuers ?? []).entries()) {
    const path = ['issuers', index];
    checkCredentials(issuer, path, findings);
    checkPayload(issuer, path, findings);
    checkMtls(issuer, path, findings);
    checkMemory(issuer, path, drafts, findings);
    for (const timeout of timeoutsOf(issuer, path)) checkTimeout(timeout, issuer, path, drafts, findings);
    checkApiNames(issuer, path, findings);
  }
  for (const key of ['signingKeyFiles', 'decryptionKeyFiles'] as const) {
    if (drafts.oauth?.[key]?.length === 0) findings.problem(['oauth', key], 'is empty', 'name at least one file');
  }
};

const ANY_ADDRESS = ['0.0.0.0', '::'];

const checkPorts = ({ server, admin }: Drafts, findings: Findings): void => {
  if (server.port === undefined || server.port === 0 || server.port !== admin.port) return;
  const hosts = [server.host, admin.host];
  if (hosts[0] !== hosts[1] && !hosts.some(host => host !== undefined && ANY_ADDRESS.includes(host))) return;
  findings.problem(['admin', 'port'], 'is the port of server, too', 'choose another one');
};

const checkDocs = ({ server }: Drafts, findings: Findings): void => {
  if (server.openapi !== false || server.docs !== true) return;
  const what = 'shows /openapi.json, which is switched off';
  findings.problem(['server', 'docs'], what, 'remove it, or write openapi: true');
};

const checkReplicas = ({ journal }: Drafts, findings: Findings): void => {
  if (journal.url?.kind !== 'sqlite' || !journal.replicas) return;
  findings.problem(['journal', 'replicas'], 'the embedded journal has none', 'remove it, or use Redis with replicas');
};

/** Workers meet in the journal alone, and share out among them what is limited for the whole gateway. */
const checkWorkers = ({ server, journal, clients = [], issuers = [] }: Drafts, findings: Findings): void => {
  const { workers = 1 } = server;
  if (workers === 1) return;
  if (journal.url?.kind === 'sqlite') {
    const what = 'the embedded journal is for one process';
    findings.problem(['server', 'workers'], what, 'write workers: 1, or use Redis for journal.url');
  }
  const less = (path: Path, limit: number | undefined) => {
    if (limit === undefined || limit === 0 || limit >= workers) return;
    const what = `${limit} is less than one for each of the ${workers} workers, which share it out`;
    findings.problem(path, what, `write at least ${workers}, or fewer workers`);
  };
  for (const [index, client] of clients.entries()) less(['clients', index, 'ratePerSecond'], client.ratePerSecond);
  for (const [index, issuer] of issuers.entries()) less(['issuers', index, 'maxInFlight'], issuer.maxInFlight);
};

/** Exactly one of two keys; a key with a mistake counts as there. */
const exactlyOne = (section: object, path: Path, keys: readonly [string, string], findings: Findings): void => {
  const there = keys.filter(key => Reflect.get(section, key) !== undefined || findings.isFaulty([...path, key]));
  if (there.length === 1) return;
  const what = there.length === 0 ? `has neither ${keys.join(' nor ')}` : `has both ${keys.join(' and ')}`;
  findings.problem(path, what, 'write exactly one of the two');
};

const checkAccess = (client: Draft<'client'>, path: Path, drafts: Drafts, findings: Findings): void => {
  exactlyOne(client, path, ['bearer', 'oauth'], findings);
  if (client.bearer !== undefined && client.payload === 'encrypted') {
    findings.problem(
      [...path, 'payload'],
      'a client with a bearer token sends plain JSON',
      'remove it, or write oauth',
    );
  }
  if (client.oauth === undefined) return;
  if (drafts.oauth === undefined) {
    findings.problem(
      [...path, 'oauth'],
      'needs the section oauth, which is missing',
      'add it, with issuer and key files',
    );
  }
  const { keysFile, certificateFiles, caFile } = client.oauth;
  const certificates = (certificateFiles ?? []).length > 0 && caFile !== undefined;
  if (keysFile === undefined && certificates) return;
  if (keysFile !== undefined && certificateFiles === undefined && caFile === undefined) return;
  findings.problem(
    [...path, 'oauth'],
    'does not say which keys the client has',
    'write keysFile, or certificateFiles and caFile',
  );
};

const checkNotEmpty = (client: Draft<'client'>, path: Path, findings: Findings): void => {
  if (client.participants?.length === 0) findings.problem([...path, 'participants'], 'is empty', 'name at least one');
  if (client.scopes?.length === 0) findings.problem([...path, 'scopes'], 'is empty', 'name a module or an API');
  if (client.bearer?.tokenSha256.length !== 0) return;
  findings.problem([...path, 'bearer', 'tokenSha256'], 'is empty', 'write the hash of at least one token');
};

/** Whose ledger a client's routes lead to, and for which product. */
export const programmeOf = (client: Draft<'client'>, { routes = [], issuers = [] }: Drafts): Programme => {
  const participants = new Set<string>(client.participants);
  const reached = new Set(routes.filter(route => participants.has(route.participant ?? '')).map(route => route.issuer));
  const byProcessor = issuers.some(issuer => issuer.balanceHeldBy === 'processor' && reached.has(issuer.id));
  return { product: client.product ?? 'prepaid', byProcessor };
};

const checkScopes = (client: Draft<'client'>, path: Path, drafts: Drafts, findings: Findings): void => {
  if (client.scopes === undefined) return;
  // Without the product only the names can be looked at.
  const programme =
    client.product === undefined ? ({ product: 'prepaid', byProcessor: false } as const) : programmeOf(client, drafts);
  for (const note of resolveScopes(client.scopes, programme).notes) {
    findings[note.level]([...path, 'scopes', note.index], note.what, note.mend);
  }
};

const checkCredentials = (issuer: Draft<'issuer'>, path: Path, findings: Findings): void => {
  if (issuer.credentials !== undefined)
    exactlyOne(issuer.credentials, [...path, 'credentials'], ['bearer', 'oauth'], findings);
};

const checkPayload = ({ payload, payloadKeys }: Draft<'issuer'>, path: Path, findings: Findings): void => {
  const at = [...path, 'payloadKeys'];
  const hasKeys = payloadKeys !== undefined || findings.isFaulty(at);
  if (payload === 'encrypted' && !hasKeys) {
    const mend = 'write payloadKeys with issuerKeysFile and decryptionKeyFiles';
    findings.problem([...path, 'payload'], 'needs payloadKeys, which are missing', mend);
  }
  if (payload === 'plain' && hasKeys) {
    findings.problem(at, 'has keys, but payload is plain', 'write payload: encrypted, or remove them');
  }
  if (payloadKeys?.decryptionKeyFiles.length === 0) {
    findings.problem([...at, 'decryptionKeyFiles'], 'is empty', 'name at least one file');
  }
};

const checkMtls = ({ mtls, baseUrl, credentials }: Draft<'issuer'>, path: Path, findings: Findings): void => {
  if (mtls === undefined) return;
  const at = [...path, 'mtls'];
  const { certFile, keyFile, caFile } = mtls;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    findings.problem(at, 'has one of certFile and keyFile', 'write both, or caFile alone');
  } else if (certFile === undefined && caFile === undefined) {
    findings.problem(at, 'is empty', 'write certFile and keyFile, caFile, or all three; or remove it');
  }
  const addresses = [baseUrl, credentials?.oauth?.tokenEndpoint].filter(address => address !== undefined);
  if (addresses.length > 0 && addresses.every(address => address.startsWith('http:'))) {
    findings.problem(at, 'has no use without TLS: baseUrl is http', 'write https://, or remove it');
  }
};

const checkMemory = (issuer: Draft<'issuer'>, path: Path, { journal }: Drafts, findings: Findings): void => {
  const { remembersHours, maxProcessingMs } = issuer;
  if (remembersHours === undefined) return;
  if (journal.retentionHours !== undefined && remembersHours > journal.retentionHours) {
    const isDefault = remembersHours === REMEMBERS_HOURS_DEFAULT ? ' (the default, where it is not written)' : '';
    const what = `${remembersHours} h${isDefault} are more than journal.retentionHours (${journal.retentionHours} h)`;
    findings.problem(
      [...path, 'remembersHours'],
      what,
      `write at most ${journal.retentionHours}, or raise retentionHours`,
    );
  }
  if (maxProcessingMs !== undefined && maxProcessingMs >= remembersHours * HOUR_MS) {
    const what = `${maxProcessingMs} ms are not less than remembersHours (${remembersHours} h)`;
    findings.problem(
      [...path, 'maxProcessingMs'],
      what,
      'an issuer has to know a tranId for longer than it may still process it',
    );
  }
};

type Timeout = { readonly path: Path; readonly ms: number; readonly api: string | undefined };

const timeoutsOf = (issuer: Draft<'issuer'>, path: Path): readonly Timeout[] => {
  const all =
    issuer.timeoutMs === undefined ? [] : [{ path: [...path, 'timeoutMs'], ms: issuer.timeoutMs, api: undefined }];
  const single = Object.entries(issuer.timeoutMsByApi ?? {}).map(([api, ms]) => ({
    path: [...path, 'timeoutMsByApi', api],
    ms,
    api,
  }));
  return [...all, ...single];
};

/** The issuer's time has to fit into the budget of every caller it answers, and be over before it may still process. */
const checkTimeout = (
  timeout: Timeout,
  issuer: Draft<'issuer'>,
  path: Path,
  drafts: Drafts,
  findings: Findings,
): void => {
  const { ms } = timeout;
  if (issuer.maxProcessingMs !== undefined && issuer.maxProcessingMs < ms) {
    const what = `${issuer.maxProcessingMs} ms are less than the ${ms} ms that we wait for an answer`;
    findings.problem([...path, 'maxProcessingMs'], what, `write at least ${ms}`);
  }
  for (const [index, client] of (drafts.clients ?? []).entries()) {
    const budgetMs = client.budgetMs;
    if (budgetMs === undefined || ms + SETTLE_RESERVE_MS <= budgetMs) continue;
    if (!reaches(client, issuer, timeout.api, drafts)) continue;
    const what = `${ms} ms and ${SETTLE_RESERVE_MS} ms to settle do not fit in the budget of clients[${index}] (${budgetMs} ms)`;
    const most = budgetMs - SETTLE_RESERVE_MS;
    const lower = most > 0 ? `write at most ${most}, or ` : '';
    findings.problem(
      timeout.path,
      what,
      `${lower}raise budgetMs of clients[${index}] to at least ${ms + SETTLE_RESERVE_MS}`,
    );
  }
};

const reaches = (
  client: Draft<'client'>,
  issuer: Draft<'issuer'>,
  api: string | undefined,
  drafts: Drafts,
): boolean => {
  const participants = new Set<string>(client.participants);
  const routed = (drafts.routes ?? []).some(
    route => route.issuer !== undefined && route.issuer === issuer.id && participants.has(route.participant ?? ''),
  );
  if (!routed || api === undefined) return routed;
  const { names } = resolveScopes(client.scopes ?? [], programmeOf(client, drafts));
  return new Set<string>(names).has(api);
};

const checkApiNames = (issuer: Draft<'issuer'>, path: Path, findings: Findings): void => {
  for (const api of Object.keys(issuer.timeoutMsByApi ?? {})) {
    if (API_NAMES.includes(api)) continue;
    const mend = didYouMean(api, API_NAMES, 'write the name of an API of the catalogue');
    findings.problem([...path, 'timeoutMsByApi', api], 'is not the name of an API', mend);
  }
};
