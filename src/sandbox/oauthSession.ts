/**
 * What comes before an OAuth client's call, shown step by step: the assertion, the token it brings, the gateway's key. And
 * the call's two envelopes. Tokens, assertions and envelopes are only ever printed by their beginning.
 */
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { type Incoming, shortened, showIncoming } from './exchange.ts';
import {
  type Assertion,
  type GatewayKey,
  gatewayKeyIn,
  keysUrl,
  makeAssertion,
  type OauthClient,
  requestKeys,
  requestToken,
  tokenForm,
  tokenIn,
} from './oauthClient.ts';

export type Session = { readonly token: Secret<string>; readonly gatewayKey: GatewayKey };

export type SessionOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly print: (text: string) => void;
};

/** Gets a token and the gateway's key; undefined where the gateway gave none, which has been printed then. */
export async function openSession(client: OauthClient, options: SessionOptions): Promise<Session | undefined> {
  const { clock, random, print } = options;
  const assertion = await makeAssertion(client, clock, random);
  print(showAssertion(assertion));

  print(`\n${showTokenRequest(client, assertion)}`);
  const answer = await requestToken(client, assertion, clock);
  const token = tokenIn(answer);
  print(`\n${showIncoming({ ...answer, text: withoutToken(answer.text) })}`);
  if (!token) return undefined;

  const keys = await requestKeys(client, clock);
  const gatewayKey = gatewayKeyIn(keys);
  print(`\n3. GET ${keysUrl(client).href}\n\n${showKeys(keys, gatewayKey)}\n`);
  return gatewayKey && { token, gatewayKey };
}

/** Whatever the status says: a token is never printed. */
const withoutToken = (text: string): string =>
  text.replace(/("access_token"\s*:\s*")([^"]*)/g, (_, before: string, token: string) => before + shortened(token));

const showAssertion = ({ header, claims, text }: Assertion): string =>
  [
    '1. A client assertion (RFC 7523), signed with our EC key, for one token:',
    '',
    `header  ${JSON.stringify(header)}`,
    `claims  ${JSON.stringify(claims)}`,
    `signed  ${shortened(text.reveal())}`,
  ].join('\n');

const showTokenRequest = (client: OauthClient, { text }: Assertion): string => {
  const fields = Object.entries(tokenForm(client, shortened(text.reveal())));
  return [
    `2. POST ${client.tokenEndpoint.href}`,
    'content-type: application/x-www-form-urlencoded',
    '',
    ...fields.map(([name, value]) => `${name}=${value}`),
  ].join('\n');
};

const showKeys = (answer: Incoming, key: GatewayKey | undefined): string =>
  key
    ? `HTTP ${answer.status} ${answer.reason}: its RSA key for payloads has the kid ${key.kid}`
    : `${showIncoming(answer)}\n\nThere is no RSA key for payloads among them.`;
