/**
 * Access tokens by hand, signed with the very key of the gateways under test and spelled as they spell them, so that a test
 * can change any part of one, or have one that its client could not be given.
 */
import { type Json, jwsOf, respelled } from '../edge/oauthKit.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { gatewaySigningKey, rootOf } from '../support/oauth.ts';

export const TOKEN_HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'sign-1' };

/** The claims of a good token of the client; undefined takes one out. */
export const claimsFor = (gateway: Pick<Gateway, 'port'>, client: string, changes: Json = {}): Json => {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: rootOf(gateway),
    sub: client,
    aud: rootOf(gateway),
    client_id: client,
    iat: now,
    exp: now + 600,
    jti: 'by-hand',
    scope: 'Purchase',
    ...changes,
  };
};

/** A token of these claims, with the lower s. */
export const tokenOfClaims = (claims: unknown, header: Json = {}): string =>
  respelled(jwsOf({ ...TOKEN_HEADER, ...header }, claims, gatewaySigningKey()), true);

/** A token of the client, good unless it is changed. */
export const tokenByHand = (gateway: Pick<Gateway, 'port'>, client: string, changes: Json = {}): string =>
  tokenOfClaims(claimsFor(gateway, client, changes));
