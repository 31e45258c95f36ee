/** Makes the configuration out of its sections, once they are known to be free of problems. */
import { APIS, apiByName } from '../catalogue/apis.ts';
import type { ApiName } from '../domain/ids.ts';
import type {
  ClientAccess,
  ClientConfig,
  Config,
  IssuerConfig,
  IssuerCredentials,
  SealKeys,
  TlsConfig,
} from './config.ts';
import type { Complete } from './read.ts';
import { programmeOf } from './relations.ts';
import type { Section } from './schema.ts';
import { resolveScopes } from './scopes.ts';

/** What the sections do not hold themselves. */
export type Around = {
  readonly file: string;
  readonly lines: ReadonlyMap<string, number>;
  readonly sealKeys: SealKeys;
};

export const buildConfig = (complete: Complete, { file, lines, sealKeys }: Around): Config => {
  const { server, admin, journal, oauth, clients, issuers, routes } = complete;
  const { dangerouslyAllowPlaintext: _said, tls, ...listening } = server;
  const { url, sealKeyFile, retentionHours } = journal;
  return {
    file,
    lines,
    server: { ...listening, tls: tls && tlsOf(tls) },
    admin,
    journal: { target: url, sealKeyFile, sealKeys, retentionHours },
    oauth,
    clients: clients.map(client => clientOf(client, complete)),
    issuers: issuers.map(issuerOf),
    routes,
  };
};

type TlsSection = NonNullable<Section<'server'>['tls']>;
const tlsOf = ({ certFile, keyFile, clientCaFile }: TlsSection): TlsConfig => ({ certFile, keyFile, clientCaFile });

const clientOf = (client: Section<'client'>, complete: Complete): ClientConfig => {
  const { bearer, oauth, payload, participants, scopes, allowFrom, ...plain } = client;
  return {
    ...plain,
    participants: new Set(participants),
    scopes: resolveScopes(scopes, programmeOf(client, complete), APIS).names,
    access: accessOf(client),
    payload: payload ?? (oauth === undefined ? 'plain' : 'encrypted'),
    allowFrom,
  };
};

/** Which of the two there is, and that there is exactly one, has been checked. */
const accessOf = ({ bearer, oauth }: Section<'client'>): ClientAccess => {
  if (bearer !== undefined) return { kind: 'bearer', tokenSha256: bearer.tokenSha256 };
  const { keysFile, certificateFiles = [], caFile = '' } = oauth ?? {};
  if (keysFile !== undefined) return { kind: 'oauth', keys: { kind: 'jwks', keysFile } };
  return { kind: 'oauth', keys: { kind: 'certificates', certificateFiles, caFile } };
};

const issuerOf = (issuer: Section<'issuer'>): IssuerConfig => {
  const { dangerouslyAllowPlaintext: _said, timeoutMsByApi, credentials, mtls, ...plain } = issuer;
  return {
    ...plain,
    timeoutMsByApi: byApi(timeoutMsByApi),
    credentials: credentialsOf(credentials),
    mtls: mtls && { certFile: mtls.certFile, keyFile: mtls.keyFile, caFile: mtls.caFile },
  };
};

/** APIs that are published but not in this version cannot be called, so their time-outs are left out. */
const byApi = (timeouts: Readonly<Record<string, number>>): ReadonlyMap<ApiName, number> => {
  const known = new Map<ApiName, number>();
  for (const [name, ms] of Object.entries(timeouts)) {
    const row = apiByName(name);
    if (row !== undefined) known.set(row.name, ms);
  }
  return known;
};

const credentialsOf = (credentials: Section<'issuer'>['credentials']): IssuerCredentials => {
  if (credentials?.bearer !== undefined) return { kind: 'bearer', token: credentials.bearer };
  if (credentials?.oauth === undefined) return { kind: 'none' };
  const { scope, ...oauth } = credentials.oauth;
  return { kind: 'oauth', ...oauth, scope };
};
