/**
 * Access tokens as a client of OAuth gets them: by an assertion of its own at the token endpoint of the running gateway.
 */
import { readFileSync } from 'node:fs';
import { signAssertion, signingKey } from '../../src/client/crypto.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import type { OauthClient } from './types.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;
const MS = 1000;

/** So many tokens of a client. `url`: anything on the gateway's public port. @throws Error with what the endpoint answered. */
export async function accessTokens(url: string, client: OauthClient, count: number): Promise<readonly string[]> {
  const { origin } = new URL(url);
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) tokens.push(await accessToken(origin, client));
  return tokens;
}

async function accessToken(issuer: string, { id, signingKeyFile }: OauthClient): Promise<string> {
  const key = await signingKey(JSON.parse(readFileSync(signingKeyFile, 'utf8')), 'the signing key');
  const iat = Math.floor(Date.now() / MS);
  const claims = { iss: id, sub: id, aud: issuer, jti: systemRandom.id(), iat, exp: iat + ASSERTION_SECONDS };
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await signAssertion(key, claims),
    }),
  });
  const answer: unknown = await response.json();
  if (isTokenAnswer(answer)) return answer.access_token;
  throw new Error(`no token for ${id}: status ${response.status}, ${JSON.stringify(answer)}`);
}

const isTokenAnswer = (value: unknown): value is { readonly access_token: string } =>
  typeof value === 'object' && value !== null && 'access_token' in value && typeof value.access_token === 'string';
