/**
 * The operator's side of revocation: how long each kind holds, what may be asked for, and a line in the log for everything
 * that was done. In the log a token is named by a digest of its `jti`, the same as in the line of its issuance.
 */
import type { ClientConfig } from './config/config.ts';
import { CLOCK_TOLERANCE_SECONDS, HOUR_MS, RETENTION_HOURS_MOST } from './config/limits.ts';
import { ACCESS_TOKEN_LIFE_SECONDS_MAX, tokenDigest } from './edge/accessToken.ts';
import type { AdminRevocations, RevokeAsked, RevokeEnd } from './http/adminRevocations.ts';
import { type Reply, RevocationsFull } from './journal/journal.ts';
import type { RevocationList } from './journal/revocations.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';

/** A revoked client should be gone from the configuration long before this. */
const CLIENT_REVOKED_MS = RETENTION_HOURS_MOST * HOUR_MS;
/** No token lives longer, whichever of our clocks is asked; and a minute, so that none comes back at the edge. */
const TOKEN_REVOKED_MS = (ACCESS_TOKEN_LIFE_SECONDS_MAX + 2 * CLOCK_TOLERANCE_SECONDS + 60) * 1000;

export type RevokingDeps = {
  readonly revocations: Pick<RevocationList, 'revoke' | 'revokeTokens' | 'lift' | 'shown'>;
  /** As configured now. */
  readonly clients: () => readonly ClientConfig[];
  readonly clock: Clock;
  readonly log: Log;
};

export const adminRevocations = (deps: RevokingDeps): AdminRevocations => {
  const { revocations, clock, log } = deps;
  return {
    revoke: asked =>
      unlessFull(async () => {
        const fault = faultOf(asked, deps);
        if (fault) return fault;
        const reply = await revoke(asked, deps);
        log.warn('revoked', { kind: asked.kind, what: nameOf(asked, clock), result: reply.kind });
        return reply.kind === 'done' ? 'done' : 'unwritten';
      }),
    lift: client =>
      unlessFull(async () => {
        const reply = await revocations.lift(client, clock.wallMs() + TOKEN_REVOKED_MS);
        if (reply.kind === 'done' && reply.value === 'nothing') return 'notRevoked';
        log.warn('revocationLifted', { kind: 'client', what: client, result: reply.kind });
        return reply.kind === 'done' ? 'done' : 'unwritten';
      }),
    list: async () => {
      const reply = await revocations.shown();
      return reply.kind === 'done' ? reply.value : undefined;
    },
    digestOf: tokenDigest,
  };
};

const unlessFull = async <End>(act: () => Promise<End>): Promise<End | 'tooMany'> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RevocationsFull) return 'tooMany';
    throw error;
  }
};

/** What cannot be revoked at all, so that nobody takes a mistake for a revocation. */
const faultOf = (asked: RevokeAsked, { clients, clock }: RevokingDeps): RevokeEnd | undefined => {
  if (asked.kind === 'jti') return undefined;
  const client = clients().find(({ id }) => id === asked.id);
  if (!client) return 'noSuchClient';
  if (asked.issuedBefore === undefined) return undefined;
  if (client.access.kind !== 'oauth') return 'noTokens';
  const beforeMs = momentOf(asked.issuedBefore, clock);
  if (beforeMs > clock.wallMs()) return 'future';
  return beforeMs + TOKEN_REVOKED_MS <= clock.wallMs() ? 'over' : undefined;
};

const revoke = (asked: RevokeAsked, { revocations, clock }: RevokingDeps): Promise<Reply<void>> => {
  const nowMs = clock.wallMs();
  if (asked.kind === 'jti') return revocations.revoke('jti', asked.id, nowMs + TOKEN_REVOKED_MS);
  if (asked.issuedBefore === undefined) return revocations.revoke('client', asked.id, nowMs + CLIENT_REVOKED_MS);
  const beforeMs = momentOf(asked.issuedBefore, clock);
  // Tokens know the second in which they were issued: those of a second that has begun go with the ones before.
  return revocations.revokeTokens(asked.id, Math.ceil(beforeMs / 1000), beforeMs + TOKEN_REVOKED_MS);
};

const nameOf = (asked: RevokeAsked, clock: Clock): string => {
  if (asked.kind === 'jti') return tokenDigest(asked.id);
  if (asked.issuedBefore === undefined) return asked.id;
  return `${asked.id}, tokens issued before ${new Date(momentOf(asked.issuedBefore, clock)).toISOString()}`;
};

const momentOf = (issuedBefore: number | 'now', clock: Clock): number =>
  issuedBefore === 'now' ? clock.wallMs() : issuedBefore;
