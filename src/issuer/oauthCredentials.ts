/**
 * Credentials that run out: access tokens that are fetched from the issuer's token endpoint, used by all sends at once,
 * and renewed before they end. Sends renew the token themselves, in passing, so an idle issuer costs no timer.
 */
import type { Deadline } from '../runtime/deadline.ts';
import { bearerHeaders, type CredentialHeaders, type Credentials } from './credentials.ts';
import { requestToken, type TokenRequestOptions } from './tokenRequest.ts';

export type OauthCredentialsOptions = TokenRequestOptions & {
  /**
   * Hears when no token could be had: an error code of RFC 6749 (`invalid_client`), a code of Node or undici
   * (`ECONNREFUSED`), `HTTP_<status>`, or what is wrong with the answer (`NO_TOKEN`). What it throws is dropped.
   */
  readonly onFailure?: (code: string) => void;
};

type Held = {
  readonly headers: CredentialHeaders;
  readonly since: number;
  readonly renewAt: number;
  readonly validUntil: number;
};

/** A token is renewed when this part of its life is over, and a little earlier, so that processes do not come at once. */
const RENEW_AT = 0.8;
const RENEW_EARLIER_MOST = 0.05;
/** What a send needs to arrive and what clocks differ: so much before its end a token counts as ended ... */
const MARGIN_MS = 10_000;
/** ... or this part of its life, where that is less. */
const MARGIN_PART = 0.1;

/** Tries of one renewal, with pauses that double from the first. Callers wait at most as long as their deadline. */
const TRIES = 3;
const TRY_PAUSE_MS = 100;

/** After a renewal that failed, the next one waits, twice as long each time: a sick token endpoint is left to heal. */
const PAUSE_FIRST_MS = 250;
/** Sends work again so soon after it has healed. */
const PAUSE_MOST_MS = 5000;

/** A token younger than this was refused for another reason than its age; a new one would be, too. */
const REFUSED_AGE_MS = 5000;

/**
 * Credentials by OAuth 2.0 client credentials with private_key_jwt. Asks for nothing before the first send. Throws where
 * the token endpoint is not an HTTP URL.
 */
export const oauthCredentials = (options: OauthCredentialsOptions): Credentials => new OauthCredentials(options);

class OauthCredentials implements Credentials {
  readonly #options: OauthCredentialsOptions;
  readonly #closing = new AbortController();
  #held: Held | undefined;
  /** The one renewal that is under way. */
  #renewal: Promise<void> | undefined;
  #failures = 0;
  #pausedUntil = 0;

  constructor(options: OauthCredentialsOptions) {
    const { protocol } = new URL(options.tokenEndpoint);
    if (protocol !== 'http:' && protocol !== 'https:') throw new Error('a token endpoint is reached by http or https');
    this.#options = options;
  }

  async headers(deadline: Deadline): Promise<CredentialHeaders | undefined> {
    const held = this.#current();
    if (held) {
      if (this.#now() >= held.renewAt) void this.#renew();
      return held.headers;
    }
    await this.#within(deadline, this.#renew());
    return this.#current()?.headers;
  }

  refused(headers: CredentialHeaders): void {
    if (this.#held?.headers !== headers || this.#now() - this.#held.since < REFUSED_AGE_MS) return;
    this.#held = undefined;
  }

  close(): void {
    this.#held = undefined;
    this.#closing.abort();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #current(): Held | undefined {
    return this.#held && this.#now() < this.#held.validUntil ? this.#held : undefined;
  }

  /** Joins the renewal that is under way, or begins one where that makes sense now. */
  #renew(): Promise<void> | undefined {
    if (this.#renewal !== undefined) return this.#renewal;
    if (this.#closing.signal.aborted || this.#now() < this.#pausedUntil) return undefined;
    this.#renewal = this.#tryToRenew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #tryToRenew(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    for (let tried = 1; !signal.aborted; tried += 1) {
      const since = this.#now();
      const reply = await requestToken(this.#options, signal);
      if (signal.aborted) return;
      if (reply.kind === 'token') return this.#hold(bearerHeaders(reply.token.reveal()), since, reply.lifeMs);
      if (tried === TRIES || !reply.again) return this.#pause(reply.code);
      await clock.sleep(TRY_PAUSE_MS * 2 ** (tried - 1) * random.fraction(), signal);
    }
  }

  #hold(headers: CredentialHeaders, since: number, lifeMs: number): void {
    const renewAfter = lifeMs * (RENEW_AT - RENEW_EARLIER_MOST * this.#options.random.fraction());
    const validUntil = since + lifeMs - Math.min(MARGIN_MS, lifeMs * MARGIN_PART);
    this.#held = { headers, since, renewAt: since + renewAfter, validUntil };
    this.#failures = 0;
  }

  #pause(code: string): void {
    const pauseMs = Math.min(PAUSE_MOST_MS, PAUSE_FIRST_MS * 2 ** this.#failures);
    this.#pausedUntil = this.#now() + pauseMs;
    this.#failures += 1;
    try {
      this.#options.onFailure?.(code);
    } catch {
      // Whoever listens must not decide whether a token can be had.
    }
  }

  /** Waits for the renewal, or for the deadline if that is earlier. */
  async #within(deadline: Deadline, renewal: Promise<void> | undefined): Promise<void> {
    if (renewal === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(deadline.leftMs(), resolve);
    void renewal.then(resolve);
    await promise;
    cancel();
  }
}
