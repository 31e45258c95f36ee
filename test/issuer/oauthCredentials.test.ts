/**
 * The life of an access token: fetched once for all sends, renewed in time, dropped when it is refused; and what becomes
 * of sends while none can be had.
 */
import { describe, expect, it } from 'vitest';
import { oauthCredentials } from '../../src/issuer/oauthCredentials.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { freePort } from '../support/places.ts';
import { waitFor } from '../support/waitFor.ts';
import { givesTokens, json } from './tokenServer.ts';
import { headersFrom, ISSUER, stage, tokenFrom } from './tokenStage.ts';

const { key, server, credentialsAt } = stage();

describe('one token serves all sends', () => {
  it('50 at once make one request', async () => {
    const endpoint = await server(givesTokens(3600));
    const { credentials } = credentialsAt(endpoint.url);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => tokenFrom(credentials)));
    expect(new Set(tokens)).toEqual(new Set(['token-1']));
    expect(await tokenFrom(credentials)).toBe('token-1');
    expect(endpoint.requests).toHaveLength(1);
  });

  it('is renewed at four fifths of its life, once, and the old one is used until the new one is there', async () => {
    const give = givesTokens(1000);
    const waiting: (() => void)[] = [];
    const endpoint = await server(give);
    const { credentials, clock } = credentialsAt(endpoint.url);
    await tokenFrom(credentials);
    clock.forward(740_000);
    expect(await tokenFrom(credentials)).toBe('token-1');
    expect(endpoint.requests).toHaveLength(1);

    endpoint.script = (response, request) => waiting.push(() => give(response, request));
    clock.forward(70_000);
    for (let i = 0; i < 20; i += 1) expect(await tokenFrom(credentials)).toBe('token-1');
    await waitFor('the renewal', () => waiting.length > 0);
    expect(await tokenFrom(credentials)).toBe('token-1');
    for (const answer of waiting) answer();
    await waitFor('the new token', async () => (await tokenFrom(credentials)) === 'token-2');
    expect(endpoint.requests).toHaveLength(2);
  });

  it('is used to its end while it cannot be renewed, and no longer', async () => {
    const endpoint = await server(givesTokens(1000));
    const { credentials, clock, failures } = credentialsAt(endpoint.url);
    await tokenFrom(credentials);
    endpoint.script = response => json(response, 400, { error: 'invalid_client' });
    clock.forward(850_000);
    expect(await tokenFrom(credentials)).toBe('token-1');
    await waitFor('the failed renewal', () => failures.length === 1);
    clock.forward(100_000);
    expect(await tokenFrom(credentials)).toBe('token-1');
    await waitFor('another failed renewal', () => failures.length === 2);
    clock.forward(60_000);
    expect(await tokenFrom(credentials)).toBeUndefined();
    endpoint.script = givesTokens(1000);
    clock.forward(6000);
    expect(await tokenFrom(credentials)).toBe('token-1');
  });

  it.each([
    ['says nothing of its life: a minute', {}, 45_000, 70_000],
    ['says ten years: a day', { expires_in: 315_360_000 }, 60_000_000, 90_000_000],
    ['says a second: a second', { expires_in: 1 }, 500, 1000],
  ])('where the issuer %s', async (_, life, before, after) => {
    const endpoint = await server(response => {
      const count = endpoint.requests.length;
      json(response, 200, { access_token: `token-${count}`, token_type: 'bearer', ...life });
    });
    const { credentials, clock } = credentialsAt(endpoint.url);
    await tokenFrom(credentials);
    clock.forward(before);
    expect(await tokenFrom(credentials)).toBe('token-1');
    expect(endpoint.requests).toHaveLength(1);
    clock.forward(after - before);
    expect(await tokenFrom(credentials)).toBe('token-2');
  });
});

describe('no token in time: nothing is sent', () => {
  it('F14: an endpoint that hangs costs a send its own deadline, and the sends share one request', async () => {
    const endpoint = await server(() => {});
    const { credentials } = credentialsAt(endpoint.url);
    const before = performance.now();
    expect(await Promise.all([tokenFrom(credentials, 200), tokenFrom(credentials, 250)])).toEqual([
      undefined,
      undefined,
    ]);
    expect(performance.now() - before).toBeGreaterThan(195);
    expect(await tokenFrom(credentials, 50)).toBeUndefined();
    expect(endpoint.requests).toHaveLength(1);
  });

  it('I19: a try that hangs is given up, and the next one may succeed for who has waited', async () => {
    const give = givesTokens(3600);
    const endpoint = await server((response, request) => {
      if (endpoint.requests.length > 1) give(response, request);
    });
    const { credentials } = credentialsAt(endpoint.url);
    expect(await tokenFrom(credentials)).toBe('token-1');
    expect(endpoint.requests).toHaveLength(2);
  });

  it('F13: refused connections are tried a few times, then left alone for a while', async () => {
    const port = await freePort();
    const { credentials, clock, failures } = credentialsAt(`http://127.0.0.1:${port}/token`);
    expect(await tokenFrom(credentials)).toBeUndefined();
    for (let i = 0; i < 100; i += 1) expect(await tokenFrom(credentials)).toBeUndefined();
    expect(failures).toEqual(['ECONNREFUSED']);
    clock.forward(251);
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(failures).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
    clock.forward(251);
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(failures).toHaveLength(2);
    for (let i = 0; i < 10; i += 1) {
      clock.forward(5001);
      await tokenFrom(credentials);
    }
    expect(failures).toHaveLength(12);
  });

  it('an endpoint that is not HTTP is a mistake of whoever configures it', () => {
    expect(() => credentialsAt('ftp://127.0.0.1/token')).toThrow('http');
  });

  it('a listener that throws changes nothing', async () => {
    const endpoint = await server(response => json(response, 401, {}));
    const { credentials } = credentialsAt(endpoint.url, {});
    const throwing = oauthCredentials({
      tokenEndpoint: endpoint.url,
      issuer: ISSUER,
      clientId: 'x',
      signingKey: key(),
      clock: systemClock,
      random: systemRandom,
      onFailure: () => {
        throw new Error('listener');
      },
    });
    expect(await tokenFrom(throwing)).toBeUndefined();
    expect(await tokenFrom(credentials)).toBeUndefined();
  });

  it('closing ends a request that hangs; from then on there is no token', async () => {
    const endpoint = await server(() => {});
    // Without timers nothing but closing ends anything.
    const { credentials } = credentialsAt(endpoint.url, { clock: { ...systemClock, after: () => () => {} } });
    const waiting = tokenFrom(credentials);
    await waitFor('the request', () => endpoint.requests.length === 1);
    credentials.close?.();
    expect(await waiting).toBeUndefined();
    await waitFor('the connection to be closed', () => endpoint.sockets.every(socket => socket.destroyed));
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(endpoint.requests).toHaveLength(1);
  });
});

describe('a token that the issuer does not take', () => {
  it('is dropped when it is old, and the next send has a new one', async () => {
    const endpoint = await server(givesTokens(3600));
    const { credentials, clock } = credentialsAt(endpoint.url);
    const headers = await headersFrom(credentials);
    clock.forward(5001);
    credentials.refused?.(headers);
    expect(await tokenFrom(credentials)).toBe('token-2');
  });

  it('is kept while it is fresh: a new one would not be taken either, and asking for it would be a flood', async () => {
    const endpoint = await server(givesTokens(3600));
    const { credentials } = credentialsAt(endpoint.url);
    for (let i = 0; i < 20; i += 1) credentials.refused?.(await headersFrom(credentials));
    expect(endpoint.requests).toHaveLength(1);
  });

  it('is not dropped for the refusal of one before it', async () => {
    const endpoint = await server(givesTokens(3600));
    const { credentials, clock } = credentialsAt(endpoint.url);
    const old = await headersFrom(credentials);
    clock.forward(5001);
    credentials.refused?.(old);
    await headersFrom(credentials);
    clock.forward(5001);
    credentials.refused?.(old);
    expect(await tokenFrom(credentials)).toBe('token-2');
  });
});
