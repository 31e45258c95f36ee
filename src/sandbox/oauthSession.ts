/**
 * What comes before an OAuth client's call, as it is shown: the assertion, the token it brings, the gateway's key. Tokens
 * and assertions are only ever printed by their beginning.
 */
import { publishedKey } from '../client/credentials.ts';
import { type Incoming, type Outgoing, type Shown, shortened, showIncoming } from './exchange.ts';

/** A request for a token, with the assertion that is in it. */
export const showTokenRequest = ({ url, body }: Outgoing): Shown => {
  const form = [...new URLSearchParams(body)];
  const assertion = form.find(([name]) => name === 'client_assertion')?.[1] ?? '';
  const [header = '', claims = ''] = assertion.split('.');
  return {
    outgoing: [
      '1. A client assertion (RFC 7523), signed with our EC key, for one token:',
      '',
      `header  ${decoded(header)}`,
      `claims  ${decoded(claims)}`,
      `signed  ${shortened(assertion)}`,
      '',
      `2. POST ${url}`,
      'content-type: application/x-www-form-urlencoded',
      '',
      ...form.map(([name, value]) => `${name}=${value === assertion ? shortened(value) : value}`),
    ].join('\n'),
    incoming: answer => showIncoming({ ...answer, text: withoutToken(answer.text) }),
  };
};

/** A request for the gateway's public keys, and which of them is used. */
export const showKeysRequest = ({ url }: Outgoing): Shown => ({
  outgoing: `3. GET ${url}`,
  incoming: showKeys,
});

const decoded = (part: string): string => Buffer.from(part, 'base64url').toString('utf8');

/** Whatever the status says: a token is never printed. */
const withoutToken = (text: string): string =>
  text.replace(/("access_token"\s*:\s*")([^"]*)/g, (_, before: string, token: string) => before + shortened(token));

function showKeys(answer: Incoming): string {
  const key = answer.status === 200 ? publishedKey(answer.text) : undefined;
  return key
    ? `HTTP ${answer.status} ${answer.reason}: its RSA key for payloads has the kid ${key.kid}`
    : `${showIncoming(answer)}\n\nThere is no RSA key for payloads among them.`;
}
