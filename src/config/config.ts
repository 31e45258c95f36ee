/**
 * What a valid configuration is, once it has been read: every value proved, every default filled in, every path
 * absolute, every credential in a `Secret`. `load.ts` is the only place that makes one; everything else takes it as given.
 */
import type { ApiName, Brand, ClientId, IssuerId, ParticipantId } from '../domain/ids.ts';
import type { Secret } from '../domain/secret.ts';
import type { ClientKeySet, OpeningKey, SealingKey, SigningKey } from '../edge/keys.ts';
import type { Expiry } from './expiry.ts';

/** A network as `address/length`, proved to be valid, in IPv4 or IPv6 (never an IPv4-mapped IPv6 address). */
export type Cidr = Brand<string, 'Cidr'>;
/** The SHA-256 of a bearer token: 64 lower-case hexadecimal digits. */
export type TokenSha256 = Brand<string, 'TokenSha256'>;

/** One thing that is wrong with a configuration file, or that an operator should know about it. */
export type Problem = {
  /** The configuration file, as it was named to us. */
  readonly file: string;
  /** Line in that file, counted from 1. */
  readonly line: number;
  /** Where in the configuration, such as `clients[0].bearer.tokenSha256`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. Never holds a secret's value, nor a value that came from the environment or from a file. */
  readonly what: string;
  /** What to do about it. */
  readonly mend: string;
};

/** PEM texts. Certificate and key belong together and are valid at the time of loading. */
export type TlsConfig = {
  /** The certificate, then what chains it to an authority. */
  readonly cert: string;
  readonly key: Secret<string>;
  /** Callers must show a certificate of one of these authorities, where it is set. */
  readonly clientCa: string | undefined;
};

export type ServerConfig = {
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  /** Begins with a slash and does not end with one; empty when the APIs are at the root. */
  readonly basePath: string;
  /** Peers whose `X-Forwarded-For` is believed; empty: nobody's. */
  readonly trustedProxies: readonly Cidr[];
  /** Processes that serve the public port; with 1 there is no process beside it. */
  readonly workers: number;
  /** Whether the description of the API is at `/openapi.json`, and for people at `/docs`, which needs the former. */
  readonly openapi: boolean;
  readonly docs: boolean;
  readonly tls: TlsConfig | undefined;
};

export type AdminConfig = { readonly host: string; readonly port: number };

export type HostPort = { readonly host: string; readonly port: number };
export type JournalCredentials = {
  readonly username: string | undefined;
  readonly password: Secret<string> | undefined;
};

/** Where the journal is: `journal.url` taken apart. */
export type JournalTarget =
  /** `file` is an absolute path, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly file: string }
  | ({ readonly kind: 'redis'; readonly tls: boolean; readonly db: number } & HostPort & JournalCredentials)
  /** `name` is the name of the master that the sentinels watch. */
  | ({
      readonly kind: 'sentinel';
      readonly tls: boolean;
      readonly nodes: readonly HostPort[];
      readonly name: string;
    } & JournalCredentials)
  | ({ readonly kind: 'cluster'; readonly tls: boolean; readonly nodes: readonly HostPort[] } & JournalCredentials);

/** Keys of 32 bytes: the first seals, all open. Never empty. */
export type SealKeys = readonly [Secret<Uint8Array>, ...Secret<Uint8Array>[]];

export type JournalConfig = {
  readonly target: JournalTarget;
  readonly sealKeyFile: string;
  readonly sealKeys: SealKeys;
  readonly retentionHours: number;
  /** How long no new money moves where the journal has lost data. */
  readonly amnesiaMinutes: number;
  /** How many replicas must have a claim before it is forwarded. */
  readonly replicas: number;
};

export type OauthConfig = {
  /** Our identifier: the only audience that is accepted in a client assertion. */
  readonly issuer: string;
  readonly accessTokenMinutes: number;
  /** The first signs tokens, all verify them. Never empty. */
  readonly signingKeys: readonly [SigningKey, ...SigningKey[]];
  /** All open payloads; the first is the one that clients should use. Never empty. */
  readonly decryptionKeys: readonly [OpeningKey, ...OpeningKey[]];
};

export type ClientAccess =
  /** Never empty; several while a token is being replaced. */
  | { readonly kind: 'bearer'; readonly tokenSha256: readonly TokenSha256[] }
  /** With `payload: encrypted` there is a key to encrypt answers with. */
  | { readonly kind: 'oauth'; readonly keys: ClientKeySet };

export type ClientConfig = {
  readonly id: ClientId;
  readonly participants: ReadonlySet<ParticipantId>;
  readonly product: 'prepaid' | 'debit';
  /** The APIs that this client may call: `scopes` with the modules spelled out. */
  readonly scopes: ReadonlySet<ApiName>;
  readonly access: ClientAccess;
  readonly payload: 'plain' | 'encrypted';
  /** Networks that the client may call from; undefined: any, empty: none. */
  readonly allowFrom: readonly Cidr[] | undefined;
  /** From the arrival of a request to its answer. */
  readonly budgetMs: number;
  /** How far the `timestamp` header may be from now; 0: only its shape counts. */
  readonly timestampToleranceSeconds: number;
  /** 0: no limit. */
  readonly ratePerSecond: number;
};

export type BreakerConfig = {
  /** The breaker opens when this share of the calls in the window failed, 1 to 100. */
  readonly errorPercent: number;
  /** Fewer calls than this in the window never open it. */
  readonly minimumCalls: number;
  readonly windowMs: number;
  /** How long it stays open before the first probe. */
  readonly openMs: number;
};

/** How the gateway names itself to an issuer. */
export type IssuerCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: Secret<string> }
  | {
      readonly kind: 'oauth';
      readonly tokenEndpoint: string;
      /** The issuer's identifier as an authorization server, exactly as it spells it: the audience of our assertions. */
      readonly issuer: string;
      readonly clientId: string;
      readonly signingKey: SigningKey;
      readonly scope: string | undefined;
    };

/** PEM texts for the connections to an issuer, and to its token endpoint. */
export type IssuerTlsConfig = {
  /** Our own certificate and its key: both, or neither. */
  readonly cert: string | undefined;
  readonly key: Secret<string> | undefined;
  /** The only authorities that the issuer's certificate may come from; undefined: the system's. */
  readonly ca: string | undefined;
};

/** How messages to an issuer and its replies travel, inside TLS. */
export type IssuerPayloadConfig =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'encrypted';
      /** The issuer's current RSA key. */
      readonly to: SealingKey;
      /** RFC 7638 thumbprint of that key. */
      readonly toThumbprint: string;
      /** Our RSA keys: all open replies. Never empty. */
      readonly openWith: readonly OpeningKey[];
    };

export type IssuerConfig = {
  readonly id: IssuerId;
  /** Without a slash at the end: an API's address is this and the API's path, one after the other. */
  readonly baseUrl: string;
  readonly balanceHeldBy: 'issuer' | 'processor';
  /** The issuer's part of the caller's budget. */
  readonly timeoutMs: number;
  /** Replaces `timeoutMs` for single APIs. */
  readonly timeoutMsByApi: ReadonlyMap<ApiName, number>;
  readonly maxInFlight: number;
  /** Deliveries at a time, beside those. */
  readonly maxDeliveries: number;
  /** After this long an unseen message will not be processed any more. */
  readonly maxProcessingMs: number;
  /** How long the issuer recognises a repeated `tranId`. */
  readonly remembersHours: number;
  readonly breaker: BreakerConfig;
  readonly credentials: IssuerCredentials;
  readonly payload: IssuerPayloadConfig;
  /** Undefined: no certificate of ours, and the system's authorities. */
  readonly tls: IssuerTlsConfig | undefined;
};

export type RouteConfig = {
  readonly participant: ParticipantId;
  /** Beginning of `cardNumber` or `cardToken`; empty: every card, and calls without one. */
  readonly cardPrefix: string;
  readonly issuer: IssuerId;
};

export type Config = {
  /** The file that all of this came from, as an absolute path. */
  readonly file: string;
  /** The line of each key of the file, by its path: `journal.url`, `clients[0].id`. For messages only. */
  readonly lines: ReadonlyMap<string, number>;
  readonly server: ServerConfig;
  readonly admin: AdminConfig;
  readonly journal: JournalConfig;
  readonly oauth: OauthConfig | undefined;
  readonly clients: readonly ClientConfig[];
  readonly issuers: readonly IssuerConfig[];
  readonly routes: readonly RouteConfig[];
  /** What of this ends by itself. `expiry.ts` gives it in order. */
  readonly expiries: readonly Expiry[];
};

type Noted = {
  /** What has ended by itself: the gateway runs without it, and it is to be mended all the same. */
  readonly disabled: readonly Problem[];
  readonly warnings: readonly Problem[];
};

export type LoadResult = Noted &
  ({ readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly Problem[] });

/** One line for one problem: `file:line: path: what; mend`. */
export const formatProblem = (problem: Problem): string => {
  const where = problem.path === '' ? '' : ` ${problem.path}:`;
  return `${problem.file}:${problem.line}:${where} ${problem.what}; ${problem.mend}`;
};
