/**
 * Who a load calls as: the demo clients of a sandbox, a bearer token in a file, or an OAuth client with its keys in files.
 * Nothing secret is taken from the command line, where every user of the machine could read it.
 */
import { readFileSync } from 'node:fs';
import type { OauthOptions, Site } from '../../src/client/options.ts';
import { UsageError } from '../../src/sandbox/callMessage.ts';
import { type DemoClient, readPrivateKey } from '../../src/sandbox/demoClient.ts';
import type { CallerOptions } from './options.ts';

export type Identity = {
  readonly proof: { readonly bearer: string } | { readonly oauth: OauthOptions };
  readonly site: Site;
  readonly participantId: string;
  /** For the report: nothing secret. */
  readonly says: string;
};

export type Place = {
  /** The base URL that is called. */
  readonly target: string;
  /** Whether that is another one than the credentials name. */
  readonly isElsewhere: boolean;
};

/** @throws UsageError where a file holds no token or no key */
export async function identityOf(
  caller: CallerOptions,
  demo: DemoClient | undefined,
  { target, isElsewhere }: Place,
): Promise<Identity> {
  const site = { baseUrl: target };
  if (caller.kind === 'bearer') {
    const { participantId, tokenFile } = caller;
    return { proof: { bearer: readToken(tokenFile) }, site, participantId, says: PLAIN_BEARER };
  }
  if (caller.kind === 'oauth') return ownOauth(caller, target);
  if (!demo) throw new TypeError('a caller of a file has been read from it');
  if (caller.isOauth) return demoOauth(demo, caller.isPlain, { target, isElsewhere });
  const { clientId, participantId, token } = demo;
  return { proof: { bearer: token.reveal() }, site, participantId, says: `${clientId}: ${PLAIN_BEARER}` };
}

const PLAIN_BEARER = 'bearer token, plain JSON';
const oauthSays = (clientId: string, isPlain: boolean): string =>
  `${clientId}: OAuth, ${isPlain ? 'plain JSON' : 'encrypted both ways'}`;

function readToken(file: string): string {
  let text = '';
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw new UsageError(`--token-file ${file} cannot be read.`);
  }
  if (text === '' || /\s/.test(text))
    throw new UsageError(`--token-file ${file} must hold one token and nothing else.`);
  return text;
}

async function ownOauth(caller: CallerOptions & { readonly kind: 'oauth' }, target: string): Promise<Identity> {
  const { clientId, participantId, issuer, tokenEndpoint, scope, signingKeyFile, decryptionKeyFile } = caller;
  const oauth = {
    clientId,
    signingKey: await readPrivateKey(signingKeyFile),
    ...(decryptionKeyFile !== undefined && { decryptionKeys: await readPrivateKey(decryptionKeyFile) }),
    ...(scope !== undefined && { scope }),
  };
  const site = {
    baseUrl: target,
    ...(issuer !== undefined && { issuer }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
  };
  return { proof: { oauth }, site, participantId, says: oauthSays(clientId, decryptionKeyFile === undefined) };
}

async function demoOauth({ oauth }: DemoClient, isPlain: boolean, { target, isElsewhere }: Place): Promise<Identity> {
  if (!oauth) throw new UsageError('The credentials have no OAuth client: start the sandbox anew with npm start.');
  const { clientId, participantId, scope, issuer, signingKeyFile, decryptionKeyFile } = oauth;
  const keys = {
    signingKey: await readPrivateKey(signingKeyFile),
    ...(!isPlain && { decryptionKeys: await readPrivateKey(decryptionKeyFile) }),
  };
  // Another address is another way to the same gateway, whose identifier stays the same.
  const tokenEndpoint = isElsewhere ? new URL(oauth.tokenEndpoint.pathname, target) : oauth.tokenEndpoint;
  return {
    proof: { oauth: { clientId, scope, ...keys } },
    site: { baseUrl: target, issuer, tokenEndpoint: tokenEndpoint.href },
    participantId,
    says: oauthSays(clientId, isPlain),
  };
}
