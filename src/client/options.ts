/**
 * What a client is made with, and the proof that it makes sense: whatever is wrong is told at once, by the name of the
 * option and the rule, never by its value.
 */
import type { Jwk } from './crypto.ts';
import type { Fields } from './fields.ts';
import type { Fetch } from './http.ts';
import { type Clock, type Random, systemClock, systemRandom } from './system.ts';

/** A gateway, or a site that stands by for it. */
export type Site = {
  /** With the base path, such as `https://cards.example/card-api`. */
  readonly baseUrl: string;
  /**
   * How the site calls itself as an authorization server. Default: `oauth.issuer`, and where that is absent, the origin of
   * the site. Sites with the same identifier are taken to accept the same access tokens; one with another identifier is
   * asked for a token of its own.
   */
  readonly issuer?: string;
  /** Default: `/oauth2/token` at the site. */
  readonly tokenEndpoint?: string;
  /** Where the site's public keys are. Default: `/oauth2/jwks` at the site. */
  readonly keysUrl?: string;
  /** The site's RSA key, where it was exchanged by hand and is not to be fetched. */
  readonly payloadKey?: Jwk;
};

export type OauthOptions = {
  readonly clientId: string;
  /** The identifier that all sites share, for which assertions are made. Default: each site's own. */
  readonly issuer?: string;
  /** Module or API names, separated by blanks. Default: all that the client was given. */
  readonly scope?: string;
  /** The private EC P-256 key that proves who the client is. */
  readonly signingKey: Jwk;
  /** The private RSA keys that open answers, several while one is being replaced. Absent: payloads are plain JSON. */
  readonly decryptionKeys?: Jwk | readonly Jwk[];
};

/** The header fields that are the same in every message; a message may have its own. */
export type HeaderDefaults = Pick<Fields, 'participantId' | 'tranBranch' | 'tranChnl'> &
  Partial<Pick<Fields, 'tellerNo' | 'terminalNo'>>;

/** One request of a call and what came of it: for a log. There is nothing secret in it. */
export type Try = {
  readonly api: string;
  readonly tranId: string;
  /** The base URL that it went to. */
  readonly site: string;
  /** Counted from 1. */
  readonly number: number;
  readonly ms: number;
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** The response code, or why there was no answer. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
};

type Authentication =
  /** The opaque token of the client. */
  { readonly bearer: string; readonly oauth?: never } | { readonly oauth: OauthOptions; readonly bearer?: never };

export type ClientOptions = Authentication & {
  /**
   * Where every call goes first, and the sites that a 307 may send it to. To no other site is anything ever sent, and to
   * these only when the first one says so.
   */
  readonly sites: readonly [string | Site, ...(string | Site)[]];
  readonly header: HeaderDefaults;
  /** For one request and its answer. Default: 10 000. A gateway's own budget should be less. */
  readonly timeoutMs?: number;
  /** Requests of one call at most. Default: 6. */
  readonly tries?: number;
  /** For one call with all its tries. Default: 30 000. */
  readonly totalMs?: number;
  /** Default: the runtime's own. Replace it to go through a proxy or to show a client certificate. */
  readonly fetch?: Fetch;
  /** Hears of every try. What it throws is dropped. */
  readonly onTry?: (tried: Try) => void;
  /** Allows `http://` beyond this machine: tokens and card data go over the wire as they are. */
  readonly dangerouslyAllowPlaintext?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
};

export type ProvedSite = Required<Omit<Site, 'payloadKey'>> & { readonly payloadKey: Jwk | undefined };

export type Settings = Required<
  Pick<ClientOptions, 'timeoutMs' | 'tries' | 'totalMs' | 'fetch' | 'clock' | 'random'>
> & {
  readonly sites: readonly [ProvedSite, ...ProvedSite[]];
  readonly header: HeaderDefaults;
  readonly onTry: (tried: Try) => void;
};

const DEFAULTS = { timeoutMs: 10_000, tries: 6, totalMs: 30_000 };
/** An hour: nobody waits longer for an answer, and timers hold no more than 24 days. */
const MS_MAX = 3_600_000;
const TRIES_MAX = 100;
/** Each may cost a request. */
const SITES_MAX = 8;

/** @throws TypeError that names the option and the rule */
export function settingsOf(options: ClientOptions): Settings {
  const { sites, header, onTry, oauth, dangerouslyAllowPlaintext = false } = options;
  if (!Array.isArray(sites) || sites.length > SITES_MAX)
    throw new TypeError(`sites must be a list of 1 to ${SITES_MAX}`);
  const [first, ...others] = sites.map((site, index) =>
    provedSite(site, `sites[${index}]`, oauth?.issuer, dangerouslyAllowPlaintext),
  );
  if (!first) throw new TypeError(`sites must be a list of 1 to ${SITES_MAX}`);
  for (const name of ['participantId', 'tranBranch', 'tranChnl'] as const) {
    if (typeof header?.[name] !== 'string' || header[name] === '') throw new TypeError(`header.${name} is required`);
  }
  return {
    sites: [first, ...others],
    header,
    timeoutMs: within(options, 'timeoutMs', MS_MAX),
    tries: within(options, 'tries', TRIES_MAX),
    totalMs: within(options, 'totalMs', MS_MAX),
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    onTry: tried => {
      try {
        onTry?.(tried);
      } catch {
        // Whoever listens must not decide what becomes of a call.
      }
    },
  };
}

function within(options: ClientOptions, name: keyof typeof DEFAULTS, most: number): number {
  const value = options[name] ?? DEFAULTS[name];
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new TypeError(`${name} must be a whole number from 1 to ${most}`);
  }
  return value;
}

function provedSite(given: string | Site, name: string, issuer: string | undefined, plaintext: boolean): ProvedSite {
  const site = typeof given === 'string' ? { baseUrl: given } : given;
  const base = provedUrl(site?.baseUrl, `${name}.baseUrl`, plaintext);
  if (base.search !== '') throw new TypeError(`${name}.baseUrl must have no query`);
  const urlOf = (option: 'tokenEndpoint' | 'keysUrl', path: string) =>
    site[option] === undefined ? new URL(path, base) : provedUrl(site[option], `${name}.${option}`, plaintext);
  return {
    baseUrl: base.href.replace(/\/+$/, ''),
    issuer: site.issuer ?? issuer ?? base.origin,
    tokenEndpoint: urlOf('tokenEndpoint', '/oauth2/token').href,
    keysUrl: urlOf('keysUrl', '/oauth2/jwks').href,
    payloadKey: site.payloadKey,
  };
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

function provedUrl(text: string, name: string, plaintext: boolean): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError(`${name} must be an http or https URL`);
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw new TypeError(`${name} must have no user, no password and no fragment`);
  }
  if (url.protocol === 'http:' && !plaintext && !LOOPBACK.test(url.hostname)) {
    throw new TypeError(`${name} must begin with https:// beyond this machine, or dangerouslyAllowPlaintext be true`);
  }
  return url;
}
