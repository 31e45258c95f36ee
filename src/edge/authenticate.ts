/**
 * Who is calling: a bearer token (RFC 6750) and the address it comes from name the client, or the call is refused. The
 * statuses are the published table's, not RFC 6750's: 401 for the header's form, 403 for whatever is not valid here;
 * all refusals with 403 look the same to the caller.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { ApiRow } from '../catalogue/row.ts';
import type { Cidr, ClientConfig } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Secret } from '../domain/secret.ts';
import { AllowList, callerAddress } from './allowList.ts';

/** What a call shows of who sent it. */
export type Credentials = {
  /** The value of the header; several, joined by `, `, are not of its form. */
  readonly authorization: Secret<string> | undefined;
  /** The socket's own address. */
  readonly peer: string;
  /** The hops of `X-Forwarded-For`; the last one was added by whoever connects to us. */
  readonly forwardedFor: readonly string[];
};

export type Authenticator = {
  /**
   * The client that calls. Throws `Refusal`: `authorizationHeader` (401) for a header of the wrong form, `token` (403)
   * for a token that is nobody's, `address` (403) for one that comes from where its client does not call from.
   */
  readonly authenticate: (credentials: Credentials) => ClientConfig;
};

/** An opaque token has at most 64 characters; the contract says so. */
const TOKEN_LENGTH_MAX = 64;

/** `credentials` of RFC 7235, section 2.1, with the token68 that RFC 6750 asks for; schemes have no case. */
const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;

type Candidate = { readonly digest: Buffer; readonly client: ClientConfig };
type Known = { readonly candidates: readonly Candidate[]; readonly allowed: ReadonlyMap<ClientConfig, AllowList> };

/** Authenticates against these clients. `trustedProxies`: the peers whose `X-Forwarded-For` is believed. */
export const createAuthenticator = (
  clients: readonly ClientConfig[],
  trustedProxies: readonly Cidr[],
): Authenticator => {
  const known: Known = {
    candidates: clients.flatMap(candidatesOf),
    allowed: new Map(clients.flatMap(client => (client.allowFrom ? [[client, new AllowList(client.allowFrom)]] : []))),
  };
  const proxies = new AllowList(trustedProxies);
  return {
    authenticate: ({ authorization, peer, forwardedFor }) => {
      const client = clientOf(tokenOf(authorization), known.candidates);
      const allowed = known.allowed.get(client);
      if (!allowed) return client;
      const address = callerAddress(peer, forwardedFor, proxies);
      if (!address || !allowed.holds(address)) throw new Refusal('address');
      return client;
    },
  };
};

/** Throws `Refusal('scope')` (403) where the client may not call this API. */
export const checkScope = (client: ClientConfig, row: ApiRow): void => {
  if (!client.scopes.has(row.name)) throw new Refusal('scope');
};

const candidatesOf = (client: ClientConfig): Candidate[] =>
  client.access.kind === 'bearer'
    ? client.access.tokenSha256.map(digest => ({ digest: Buffer.from(digest, 'hex'), client }))
    : [];

const tokenOf = (authorization: Secret<string> | undefined): string => {
  const token = BEARER.exec(authorization?.reveal() ?? '')?.[1];
  if (token === undefined || token.length > TOKEN_LENGTH_MAX) throw new Refusal('authorizationHeader');
  return token;
};

/** Compares with every candidate, found or not, so that the time taken says nothing about which one it was. */
const clientOf = (token: string, candidates: readonly Candidate[]): ClientConfig => {
  const digest = hash('sha256', token, 'buffer');
  let found: ClientConfig | undefined;
  for (const candidate of candidates) {
    if (timingSafeEqual(candidate.digest, digest)) found = candidate.client;
  }
  if (!found) throw new Refusal('token');
  return found;
};
