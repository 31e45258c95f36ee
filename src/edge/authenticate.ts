/**
 * Who is calling: a bearer token (RFC 6750), opaque or of ours (RFC 9068), and the address it comes from name the client,
 * or the call is refused. The statuses are the published table's, not RFC 6750's: 401 for the header's form, 403 for
 * whatever is not valid here; all refusals with 403 look the same to the caller.
 */
import { hash } from 'node:crypto';
import type { ApiRow } from '../catalogue/row.ts';
import type { Cidr, ClientConfig } from '../config/config.ts';
import type { ApiName } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Secret } from '../domain/secret.ts';
import { ACCESS_TOKEN_CHARS_MAX } from './accessToken.ts';
import { AllowList, callerAddress } from './allowList.ts';
import type { TokenVerifier } from './tokenVerifier.ts';

/** What a call shows of who sent it. */
export type Credentials = {
  /** The value of the header; several, joined by `, `, are not of its form. */
  readonly authorization: Secret<string> | undefined;
  /** The socket's own address. */
  readonly peer: string;
  /** The hops of `X-Forwarded-For`; the last one was added by whoever connects to us. */
  readonly forwardedFor: readonly string[];
};

/** A client that was proved, with what its token allows; the client's own scopes have to allow it as well. */
export type Caller = { readonly client: ClientConfig; readonly apis: ReadonlySet<ApiName> };

export type Authenticator = {
  /**
   * Who calls. Rejects with `Refusal`: `authorizationHeader` (401) for a header of the wrong form, `token` (403) for a
   * token that is nobody's, `address` (403) for one that comes from where its client does not call from.
   */
  readonly authenticate: (credentials: Credentials) => Promise<Caller>;
};

/** An opaque token has at most 64 characters; the contract says so. No token of ours is as short as that. */
const OPAQUE_CHARS_MAX = 64;

/** `credentials` of RFC 7235, section 2.1, with the token68 that RFC 6750 asks for; schemes have no case. */
const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i;

type TokenProof = Pick<TokenVerifier, 'verify'>;

/**
 * Authenticates against these clients. `trustedProxies`: the peers whose `X-Forwarded-For` is believed. `tokens` proves
 * tokens of ours; without it there are none, and whatever is longer than an opaque token is no token at all.
 */
export const createAuthenticator = (
  clients: readonly ClientConfig[],
  trustedProxies: readonly Cidr[],
  tokens?: TokenProof,
): Authenticator => {
  const byDigest = new Map(clients.flatMap(digestsOf));
  const oauthClients = new Map<string, ClientConfig>(
    clients.filter(({ access }) => access.kind === 'oauth').map(client => [client.id, client]),
  );
  const allowLists = new Map(
    clients.flatMap(client => (client.allowFrom ? [[client, new AllowList(client.allowFrom)]] : [])),
  );
  const proxies = new AllowList(trustedProxies);

  const opaqueCaller = (token: string): Caller => {
    const client = clientOf(token, byDigest);
    return { client, apis: client.scopes };
  };

  const oauthCaller = async (token: string): Promise<Caller> => {
    if (!tokens || !isDotted(token)) throw new Refusal('authorizationHeader');
    const { clientId, apis } = await tokens.verify(token);
    const client = oauthClients.get(clientId);
    // Gone, or no client of OAuth any more, with a reload that came in between.
    if (!client) throw new Refusal('token');
    return { client, apis };
  };

  return {
    authenticate: async ({ authorization, peer, forwardedFor }) => {
      const token = tokenOf(authorization);
      const caller = token.length <= OPAQUE_CHARS_MAX ? opaqueCaller(token) : await oauthCaller(token);
      const allowed = allowLists.get(caller.client);
      if (!allowed) return caller;
      const address = callerAddress(peer, forwardedFor, proxies);
      if (!address || !allowed.holds(address)) throw new Refusal('address');
      return caller;
    },
  };
};

/** Throws `Refusal('scope')` (403) where the token or the client's configuration does not allow this API. */
export const checkScope = ({ client, apis }: Caller, row: ApiRow): void => {
  if (!client.scopes.has(row.name) || !apis.has(row.name)) throw new Refusal('scope');
};

/** Whether it could be meant for a token of ours. What is wrong with it then is a matter of the token, not the header. */
const isDotted = (token: string): boolean => token.length <= ACCESS_TOKEN_CHARS_MAX && token.includes('.');

const digestsOf = (client: ClientConfig): [string, ClientConfig][] =>
  client.access.kind === 'bearer' ? client.access.tokenSha256.map(digest => [digest.toLowerCase(), client]) : [];

const tokenOf = (authorization: Secret<string> | undefined): string => {
  const token = BEARER.exec(authorization?.reveal() ?? '')?.[1];
  if (token === undefined) throw new Refusal('authorizationHeader');
  return token;
};

/**
 * Looked up by the digest: what the time taken could tell is about a digest, from which nobody gets to a token, and it is
 * the same for one client and for thousands.
 */
const clientOf = (token: string, byDigest: ReadonlyMap<string, ClientConfig>): ClientConfig => {
  const found = byDigest.get(hash('sha256', token));
  if (!found) throw new Refusal('token');
  return found;
};
