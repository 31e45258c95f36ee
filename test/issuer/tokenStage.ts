/** Credentials of OAuth as a test uses them: at a scripted token endpoint, with a clock that can be put forward. */
import { afterEach, beforeAll } from 'vitest';
import type { SigningKey } from '../../src/edge/keys.ts';
import type { Credentials } from '../../src/issuer/credentials.ts';
import { oauthCredentials } from '../../src/issuer/oauthCredentials.ts';
import type { TokenRequestOptions } from '../../src/issuer/tokenRequest.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { within } from '../support/waitFor.ts';
import { signingKey } from './keys.ts';
import { startTokenServer } from './tokenServer.ts';

/** The identifier of the issuer as an authorization server. */
export const ISSUER = 'https://auth.bank.example';
const AMPLE_MS = 20_000;

/** The system's clock, which a test can put forward. */
class ForwardClock implements Clock {
  #byMs = 0;
  wallMs = () => systemClock.wallMs() + this.#byMs;
  monotonicMs = () => systemClock.monotonicMs() + this.#byMs;
  sleep = systemClock.sleep;
  after = systemClock.after;
  forward(ms: number): void {
    this.#byMs += ms;
  }
}

export const headersFrom = async (credentials: Credentials) => {
  const headers = await credentials.headers(Deadline.in(systemClock, AMPLE_MS));
  if (!headers) throw new Error('no credentials');
  return headers;
};

/** The token in the headers for a send with so much time; undefined where there are none. */
export const tokenFrom = async (credentials: Credentials, ms = AMPLE_MS): Promise<string | undefined> => {
  const headers = await within('headers', credentials.headers(Deadline.in(systemClock, ms)), AMPLE_MS);
  return headers?.reveal()[1]?.replace('Bearer ', '');
};

/** What a test file starts with; everything is ended after each test. */
export function stage() {
  const cleanUps: (() => unknown)[] = [];
  let signing: SigningKey;
  beforeAll(async () => {
    signing = await signingKey();
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });
  return {
    key: () => signing,
    server: async (...args: Parameters<typeof startTokenServer>) => {
      const started = await startTokenServer(...args);
      cleanUps.push(() => started.close());
      return started;
    },
    credentialsAt: (tokenEndpoint: string, options: Partial<TokenRequestOptions> = {}) => {
      const clock = new ForwardClock();
      const failures: string[] = [];
      const onFailure = (code: string) => failures.push(code);
      const own = { tokenEndpoint, issuer: ISSUER, clientId: 'our-gateway', signingKey: signing };
      const credentials = oauthCredentials({ ...own, clock, random: systemRandom, onFailure, ...options });
      cleanUps.push(() => credentials.close?.());
      return { credentials, clock, failures };
    },
  };
}
