/**
 * How the client proves who it is to a site, and what its payloads travel in: an opaque token and plain JSON, or a token
 * from the site's token endpoint and envelopes. Tokens and keys are kept in private fields, so that no client can be
 * printed with them.
 */
import { Cached, type Fetched, type Missing } from './cached.ts';
import {
  type Jwk,
  type OwnKey,
  open,
  openingKey,
  payloadKeyIn,
  seal,
  sealingKey,
  signAssertion,
  signingKey,
} from './crypto.ts';
import { type Http, isObject, objectIn, type Received } from './http.ts';
import type { ClientOptions, OauthOptions, ProvedSite, Settings } from './options.ts';

/** What one request to a site is made with. */
export type Pass = {
  readonly kind: 'pass';
  /** Of the `Authorization` header. */
  readonly authorization: string;
  /** Undefined: payloads are plain. */
  readonly envelope:
    | {
        readonly seal: (text: string) => Promise<string>;
        /** Undefined where it is no envelope that a key of ours opens. */
        readonly open: (jwe: string) => Promise<string | undefined>;
      }
    | undefined;
  /** The site refused the token, or could not open the envelope. True: another pass may fare better. */
  readonly refused: (what: 'token' | 'envelope') => boolean;
};

/** `at`: what could not be had. */
export type NoPass = Missing & { readonly at: 'token' | 'keys' };

export interface Credentials {
  /** Never rejects. */
  passTo(site: ProvedSite): Promise<Pass | NoPass>;
}

/** @throws TypeError naming the option and the rule that it breaks, with nothing of any key */
export async function credentialsOf(options: ClientOptions, settings: Settings, http: Http): Promise<Credentials> {
  const { bearer, oauth } = options;
  if ((bearer === undefined) === (oauth === undefined)) throw new TypeError('either bearer or oauth is required');
  if (oauth !== undefined) return OauthCredentials.create(oauth, settings, http);
  if (typeof bearer !== 'string' || !TOKEN_FORM.test(bearer)) throw new TypeError('bearer must be a token');
  const authorization = `Bearer ${bearer}`;
  return {
    passTo: async () => ({ kind: 'pass', authorization, envelope: undefined, refused: () => false }),
  };
}

/** RFC 6750, 2.1, and no longer than a header may be. */
const TOKEN_FORM = /^[A-Za-z0-9\-._~+/]{1,8192}=*$/;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** It is used at once. */
const ASSERTION_SECONDS = 60;
const MS = 1000;

/** A token is renewed when this part of its life is over. */
const RENEW_AT = 0.8;
/** What a call needs to arrive and what clocks differ: so much before its end a token counts as ended ... */
const MARGIN_MS = 10_000;
/** ... or this part of its life, where that is less. */
const MARGIN_PART = 0.1;
/** A server that does not say how long a token lives (RFC 6749, 5.1) is asked again soon; nobody trusts one for longer. */
const LIFE_SECONDS = { default: 60, most: 86_400 };
/** Keys change a few times a year, and the old one works on for long. */
const KEYS = { renewAfterMs: 600_000, validMs: 86_400_000 };

class OauthCredentials implements Credentials {
  readonly #options: OauthOptions;
  readonly #settings: Settings;
  readonly #http: Http;
  readonly #signing: OwnKey;
  readonly #opening: readonly OwnKey[];
  /** By the identifier of the server: tokens are for whoever calls itself that. */
  readonly #tokens = new Map<string, Cached<{ readonly token: string }>>();
  /** By the address of the keys. */
  readonly #keys = new Map<string, Cached<OwnKey>>();

  private constructor(
    options: OauthOptions,
    settings: Settings,
    http: Http,
    keys: { readonly signing: OwnKey; readonly opening: readonly OwnKey[] },
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#http = http;
    this.#signing = keys.signing;
    this.#opening = keys.opening;
  }

  static async create(options: OauthOptions, settings: Settings, http: Http): Promise<OauthCredentials> {
    if (typeof options.clientId !== 'string' || options.clientId === '') {
      throw new TypeError('oauth.clientId is required');
    }
    const { signingKey: jwk, decryptionKeys: given = [] } = options;
    const jwks: readonly Jwk[] = Array.isArray(given) ? given : [given];
    const signing = await signingKey(jwk, 'oauth.signingKey');
    const opening = await Promise.all(jwks.map(each => openingKey(each, 'oauth.decryptionKeys')));
    for (const [index, { payloadKey }] of settings.sites.entries()) {
      if (payloadKey === undefined || (await sealingKey(payloadKey))) continue;
      throw new TypeError(`sites[${index}].payloadKey must be a public RSA key as a JWK with a kid`);
    }
    return new OauthCredentials(options, settings, http, { signing, opening });
  }

  async passTo(site: ProvedSite): Promise<Pass | NoPass> {
    const tokens = this.#cachedIn(this.#tokens, site.issuer);
    // A renewal asks the site that this call goes to, which may be another one than last time.
    const held = await tokens.get(() => this.#requestToken(site));
    if (held.kind === 'missing') return { ...held, at: 'token' };
    const authorization = `Bearer ${held.value.token}`;
    const tokenRefused = () => tokens.refused(held.value);
    if (this.#opening.length === 0) {
      return { kind: 'pass', authorization, envelope: undefined, refused: what => what === 'token' && tokenRefused() };
    }
    const keys = this.#cachedIn(this.#keys, site.keysUrl);
    const key = await keys.get(() => (site.payloadKey ? usable(site.payloadKey) : this.#requestKeys(site)));
    if (key.kind === 'missing') return { ...key, at: 'keys' };
    return {
      kind: 'pass',
      authorization,
      envelope: { seal: text => seal(key.value, text), open: jwe => open(this.#opening, jwe) },
      refused: what => (what === 'token' ? tokenRefused() : keys.refused(key.value)),
    };
  }

  #cachedIn<Value>(cache: Map<string, Cached<Value>>, name: string): Cached<Value> {
    const cached = cache.get(name) ?? new Cached(this.#settings.clock);
    cache.set(name, cached);
    return cached;
  }

  async #requestToken({ issuer, tokenEndpoint }: ProvedSite): Promise<Fetched<{ readonly token: string }>> {
    const { clientId: iss, scope } = this.#options;
    const { clock, random, timeoutMs } = this.#settings;
    const iat = Math.floor(clock.wallMs() / MS);
    const claims = { iss, sub: iss, aud: issuer, jti: random.id(), iat, exp: iat + ASSERTION_SECONDS };
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (scope !== undefined) form.set('scope', scope);
    form.set('client_assertion_type', ASSERTION_TYPE);
    form.set('client_assertion', await signAssertion(this.#signing, claims));
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const request = { method: 'POST', url: tokenEndpoint, headers, body: form.toString() } as const;
    const answer = await this.#http.send(request, { timeoutMs });
    return answer.kind === 'failed' ? missing(answer.code, true) : tokenIn(answer);
  }

  async #requestKeys({ keysUrl }: ProvedSite): Promise<Fetched<OwnKey>> {
    const request = { method: 'GET', url: keysUrl, headers: { accept: 'application/json' } } as const;
    const answer = await this.#http.send(request, { timeoutMs: this.#settings.timeoutMs });
    if (answer.kind === 'failed') return missing(answer.code, true);
    if (answer.status !== 200) return missing(`HTTP_${answer.status}`, mayPass(answer.status));
    const jwk = publishedKey(answer.text);
    return jwk ? usable(jwk) : missing('NO_KEY', false);
  }
}

/** The key of a published JWK Set that payloads are sealed with; undefined where there is none. */
export function publishedKey(text: string): Jwk | undefined {
  const keys = objectIn(text)?.keys;
  return Array.isArray(keys) ? payloadKeyIn(keys.filter(isObject)) : undefined;
}

async function usable(jwk: Jwk): Promise<Fetched<OwnKey>> {
  const value = await sealingKey(jwk);
  return value ? { kind: 'fetched', value, ...KEYS } : missing('NO_KEY', false);
}

const missing = (code: string, again: boolean): Missing => ({ kind: 'missing', code, again });

const mayPass = (status: number): boolean => status >= 500 || status === 429;

/** RFC 6749, 5.2. Any other word could be anything, a token too. */
const ERROR_FORM = /^(invalid_(request|client|grant|scope)|unauthorized_client|unsupported_grant_type)$/;

function tokenIn({ status, text }: Received): Fetched<{ readonly token: string }> {
  const fields = objectIn(text);
  if (status !== 200) {
    const { error } = fields ?? {};
    const known = typeof error === 'string' && ERROR_FORM.test(error) ? error : undefined;
    return missing(known ?? `HTTP_${status}`, mayPass(status));
  }
  const { access_token: token, token_type: type, expires_in: seconds = LIFE_SECONDS.default } = fields ?? {};
  if (typeof token !== 'string' || !TOKEN_FORM.test(token)) return missing('NO_TOKEN', false);
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return missing('TOKEN_TYPE', false);
  if (typeof seconds !== 'number' || !(seconds > 0)) return missing('EXPIRES_IN', false);
  const lifeMs = Math.min(seconds, LIFE_SECONDS.most) * MS;
  const validMs = lifeMs - Math.min(MARGIN_MS, lifeMs * MARGIN_PART);
  return { kind: 'fetched', value: { token }, renewAfterMs: lifeMs * RENEW_AT, validMs };
}
