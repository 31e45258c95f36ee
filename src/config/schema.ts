/**
 * The sections of the configuration: which keys there are, of which kind, in which range, with which default. What spans
 * several keys is in `relations.ts`.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { Secret } from '../domain/secret.ts';
import { parseBaseUrl, parseCidr, parseExactUrl, parseHost, parseOwnIdentifier } from './addresses.ts';
import { Fault } from './fault.ts';
import { parseClientId, parseIssuerId, parseParticipant, parseTokenSha256 } from './ids.ts';
import { parseJournalUrl } from './journalUrl.ts';
import {
  ACCESS_TOKEN_MINUTES_DEFAULT,
  AMNESIA_MINUTES_DEFAULT,
  AMNESIA_MINUTES_MOST,
  BREAKER_DEFAULT,
  BUDGET_MS_DEFAULT,
  BUDGET_MS_MOST,
  IN_FLIGHT_PER_PROCESS,
  MAX_IN_FLIGHT_DEFAULT,
  MAX_PROCESSING_MS_DEFAULT,
  RATE_PER_SECOND_DEFAULT,
  REMEMBERS_HOURS_DEFAULT,
  REPLICAS_MOST,
  RETENTION_HOURS_DEFAULT,
  RETENTION_HOURS_LEAST,
  RETENTION_HOURS_MOST,
  TIMEOUT_MS_DEFAULT,
  TIMESTAMP_TOLERANCE_SECONDS_DEFAULT,
  WORKERS_MOST,
} from './limits.ts';
import { flag, list, map, mapOf, matching, oneOf, text, whole } from './values.ts';

const PORT_MOST = 65_535;
const DAY_MS = 86_400_000;
const MS = 'milliseconds';

/** Roots of the public port that are not the APIs'. */
const RESERVED_ROOTS = ['oauth2', '.well-known', 'openapi.json', 'docs'];

const parseBasePath = (given: string): string | Fault => {
  if (given === '/') return '';
  const mend = 'write a path such as /card-api, with a slash at its beginning and none at its end';
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(given) || /\/\.\.?(\/|$)/.test(given)) return new Fault('is not a path', mend);
  const root = given.split('/')[1] ?? '';
  return RESERVED_ROOTS.includes(root) ? new Fault(`/${root} is the gateway's own`, mend) : given;
};

/** RFC 6750's characters of a token. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,4096}=*$/;
const parseToken = (given: string): Secret<string> | Fault =>
  TOKEN.test(given)
    ? new Secret(given)
    : new Fault('is not a bearer token', 'write one line of A-Z a-z 0-9 . _ ~ + / - and = at the end (RFC 6750)');

/** RFC 6749, appendix A.1 and A.4. */
const clientId = () => matching(/^[\x20-\x7e]{1,256}$/, 'is not a client id', '1 to 256 printable ASCII characters');
const scope = () =>
  matching(
    /^(?=.{1,1024}$)[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/,
    'is not a scope',
    'words without quotes and backslashes, with single spaces between them',
  );
const timeoutMs = () => whole(10, BUDGET_MS_MOST, MS);
const cidrs = () => list(text(parseCidr));
const cardPrefix = () =>
  matching(/^[A-Za-z0-9_-]{1,27}$/, 'is not the beginning of a card number or token', '1 to 27 of A-Z a-z 0-9 _ -');

const breaker = map({
  errorPercent: whole(1, 100, 'percent').default(BREAKER_DEFAULT.errorPercent),
  minimumCalls: whole(1, 100_000, 'calls').default(BREAKER_DEFAULT.minimumCalls),
  windowMs: whole(100, 600_000, MS).default(BREAKER_DEFAULT.windowMs),
  openMs: whole(10, 600_000, MS).default(BREAKER_DEFAULT.openMs),
}).default(BREAKER_DEFAULT);

const httpSections = (file: () => ReturnType<typeof text<string>>) => ({
  server: z.strictObject({
    host: text(parseHost),
    port: whole(0, PORT_MOST),
    basePath: text(parseBasePath),
    trustedProxies: cidrs().default([]),
    workers: whole(1, WORKERS_MOST, 'workers').default(1),
    tls: map({ certFile: file(), keyFile: file(), clientCaFile: file().optional() }).optional(),
    openapi: flag().default(true),
    // Absent: as `openapi`.
    docs: flag().optional(),
    dangerouslyAllowPlaintext: flag().default(false),
  }),
  admin: z.strictObject({ host: text(parseHost), port: whole(0, PORT_MOST) }),
});

const clientSection = (file: () => ReturnType<typeof text<string>>) =>
  z.strictObject({
    id: text(parseClientId),
    participants: list(text(parseParticipant)),
    product: oneOf('prepaid', 'debit'),
    scopes: list(text(given => given)),
    bearer: map({ tokenSha256: list(text(parseTokenSha256)) }).optional(),
    oauth: map({
      keysFile: file().optional(),
      certificateFiles: list(file()).optional(),
      caFile: file().optional(),
    }).optional(),
    payload: oneOf('plain', 'encrypted').optional(),
    allowFrom: cidrs().optional(),
    budgetMs: whole(100, BUDGET_MS_MOST, MS).default(BUDGET_MS_DEFAULT),
    timestampToleranceSeconds: whole(0, 86_400, 'seconds').default(TIMESTAMP_TOLERANCE_SECONDS_DEFAULT),
    ratePerSecond: whole(0, 100_000, 'calls').default(RATE_PER_SECOND_DEFAULT),
  });

const issuerSection = (file: () => ReturnType<typeof text<string>>) =>
  z.strictObject({
    id: text(parseIssuerId),
    baseUrl: text(parseBaseUrl),
    dangerouslyAllowPlaintext: flag().default(false),
    balanceHeldBy: oneOf('issuer', 'processor'),
    timeoutMs: timeoutMs().default(TIMEOUT_MS_DEFAULT),
    timeoutMsByApi: mapOf(timeoutMs()).default({}),
    maxInFlight: whole(1, IN_FLIGHT_PER_PROCESS, 'calls').default(MAX_IN_FLIGHT_DEFAULT),
    maxProcessingMs: whole(1, DAY_MS, MS).default(MAX_PROCESSING_MS_DEFAULT),
    remembersHours: whole(1, RETENTION_HOURS_MOST, 'hours').default(REMEMBERS_HOURS_DEFAULT),
    breaker,
    credentials: map({
      bearer: text(parseToken).optional(),
      oauth: map({
        tokenEndpoint: text(parseExactUrl),
        issuer: text(parseExactUrl),
        clientId: clientId(),
        signingKeyFile: file(),
        scope: scope().optional(),
      }).optional(),
    }).optional(),
    payload: oneOf('plain', 'encrypted').default('plain'),
    payloadKeys: map({ issuerKeysFile: file(), decryptionKeyFiles: list(file()) }).optional(),
    mtls: map({ certFile: file().optional(), keyFile: file().optional(), caFile: file().optional() }).optional(),
  });

/** The sections of a file in `directory`, which relative paths are relative to. */
export const sections = (directory: string) => {
  const file = () => text(given => resolve(directory, given));
  return {
    ...httpSections(file),
    journal: z.strictObject({
      url: text(given => parseJournalUrl(given, directory)),
      sealKeyFile: file(),
      retentionHours: whole(RETENTION_HOURS_LEAST, RETENTION_HOURS_MOST, 'hours').default(RETENTION_HOURS_DEFAULT),
      amnesiaMinutes: whole(1, AMNESIA_MINUTES_MOST, 'minutes').default(AMNESIA_MINUTES_DEFAULT),
      replicas: whole(0, REPLICAS_MOST, 'replicas').default(0),
    }),
    oauth: z.strictObject({
      issuer: text(parseOwnIdentifier),
      // The contract promises an hour; a token that lives longer is only worth more to a thief.
      accessTokenMinutes: whole(1, 60, 'minutes').default(ACCESS_TOKEN_MINUTES_DEFAULT),
      signingKeyFiles: list(file()),
      decryptionKeyFiles: list(file()),
    }),
    client: clientSection(file),
    issuer: issuerSection(file),
    route: z.strictObject({
      participant: text(parseParticipant),
      issuer: text(parseIssuerId),
      cardPrefix: cardPrefix().default(''),
    }),
  };
};

export type Sections = ReturnType<typeof sections>;
/** A section that has been read without a problem. */
export type Section<Name extends keyof Sections> = z.output<Sections[Name]>;
/** What of a section could be read: the keys without a problem. */
export type Draft<Name extends keyof Sections> = {
  readonly [Key in keyof Section<Name>]?: Section<Name>[Key] | undefined;
};

/** What of a file could be read. A list is undefined where the file has none. */
export type Drafts = {
  readonly server: Draft<'server'>;
  readonly admin: Draft<'admin'>;
  readonly journal: Draft<'journal'>;
  readonly oauth: Draft<'oauth'> | undefined;
  readonly clients: readonly Draft<'client'>[] | undefined;
  readonly issuers: readonly Draft<'issuer'>[] | undefined;
  readonly routes: readonly Draft<'route'>[] | undefined;
};
