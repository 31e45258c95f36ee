/** Makes the configuration out of its sections, once they are known to be free of problems. */
import { apiByName } from '../catalogue/apis.ts';
import type { ApiName } from '../domain/ids.ts';
import type { ClientKeySet } from '../edge/keys.ts';
import type {
  ClientAccess,
  ClientConfig,
  Config,
  IssuerConfig,
  IssuerCredentials,
  IssuerPayloadConfig,
  OauthConfig,
} from './config.ts';
import type { IssuerMaterial, KeyMaterial } from './keyMaterial.ts';
import { DELIVERIES_PER_ISSUER } from './limits.ts';
import type { Complete } from './read.ts';
import { programmeOf } from './relations.ts';
import type { Section } from './schema.ts';
import { resolveScopes } from './scopes.ts';

/** What the sections do not hold themselves. */
export type Around = {
  readonly file: string;
  readonly lines: ReadonlyMap<string, number>;
  readonly keys: KeyMaterial;
};

/** What has been read without a problem: that it is there was checked before. */
const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a configuration without problems lacks something');
  return value;
};

const notEmpty = <T>([first, ...others]: readonly T[]): readonly [T, ...T[]] => [known(first), ...others];

export const buildConfig = (complete: Complete, { file, lines, keys }: Around): Config => {
  const { server, admin, journal, oauth, clients, issuers, routes } = complete;
  const { dangerouslyAllowPlaintext: _said, tls: _files, docs = server.openapi, ...listening } = server;
  const { url, ...kept } = journal;
  return {
    file,
    lines,
    server: { ...listening, docs, tls: keys.tls },
    admin,
    journal: { ...kept, target: url, sealKeys: known(keys.sealKeys) },
    oauth: oauth && oauthOf(oauth, keys),
    clients: clients.map((client, index) => clientOf(client, complete, keys.clients[index])),
    issuers: issuers.map((issuer, index) => issuerOf(issuer, known(keys.issuers[index]))),
    routes,
    expiries: keys.expiries,
  };
};

const oauthOf = ({ issuer, accessTokenMinutes }: Section<'oauth'>, keys: KeyMaterial): OauthConfig => ({
  issuer,
  accessTokenMinutes,
  signingKeys: notEmpty(keys.signingKeys),
  decryptionKeys: notEmpty(keys.decryptionKeys),
});

const clientOf = (client: Section<'client'>, complete: Complete, keys: ClientKeySet | undefined): ClientConfig => {
  const { bearer, oauth, payload, participants, scopes, allowFrom, ...plain } = client;
  return {
    ...plain,
    participants: new Set(participants),
    scopes: resolveScopes(scopes, programmeOf(client, complete)).names,
    access: accessOf(client, keys),
    payload: payload ?? (oauth === undefined ? 'plain' : 'encrypted'),
    allowFrom,
  };
};

/** Which of the two there is, and that there is exactly one, has been checked. */
const accessOf = ({ bearer }: Section<'client'>, keys: ClientKeySet | undefined): ClientAccess =>
  bearer === undefined ? { kind: 'oauth', keys: known(keys) } : { kind: 'bearer', tokenSha256: bearer.tokenSha256 };

const issuerOf = (issuer: Section<'issuer'>, keys: IssuerMaterial): IssuerConfig => {
  const {
    dangerouslyAllowPlaintext: _said,
    timeoutMsByApi,
    credentials,
    payload,
    payloadKeys,
    mtls,
    ...plain
  } = issuer;
  return {
    ...plain,
    timeoutMsByApi: byApi(timeoutMsByApi),
    maxDeliveries: DELIVERIES_PER_ISSUER,
    credentials: credentialsOf(credentials, keys),
    payload: payload === 'encrypted' ? encryptedWith(keys) : { kind: 'plain' },
    tls: keys.tls,
  };
};

const encryptedWith = ({ theirKeys, decryptionKeys }: IssuerMaterial): IssuerPayloadConfig => {
  const keys = known(theirKeys);
  const to = known(keys.encryption);
  const toThumbprint = known(keys.thumbprints[keys.kids.indexOf(to.kid)]);
  return { kind: 'encrypted', to, toThumbprint, openWith: decryptionKeys };
};

/** That each key is the name of an API has been checked. */
const byApi = (timeouts: Readonly<Record<string, number>>): ReadonlyMap<ApiName, number> =>
  new Map(Object.entries(timeouts).map(([name, ms]) => [known(apiByName(name)).name, ms]));

const credentialsOf = (
  credentials: Section<'issuer'>['credentials'],
  { signingKey }: IssuerMaterial,
): IssuerCredentials => {
  if (credentials?.bearer !== undefined) return { kind: 'bearer', token: credentials.bearer };
  if (credentials?.oauth === undefined) return { kind: 'none' };
  const { tokenEndpoint, issuer, clientId, scope } = credentials.oauth;
  return { kind: 'oauth', tokenEndpoint, issuer, clientId, signingKey: known(signingKey), scope };
};
