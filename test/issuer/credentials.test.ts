/**
 * The credentials that a connector shows: the header they make, and the texts that no header may carry.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { bearerCredentials, noCredentials } from '../../src/issuer/credentials.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';

const deadline = Deadline.in(systemClock, 1000);

describe('credentials', () => {
  it('a bearer token becomes an authorization header that does not print', async () => {
    const headers = await bearerCredentials(new Secret('abc-._~+/=')).headers(deadline);
    expect(headers?.reveal()).toEqual(['authorization', 'Bearer abc-._~+/=']);
    expect(inspect(headers) + JSON.stringify(headers)).not.toContain('abc');
  });

  it('none are no headers', async () => {
    expect((await noCredentials.headers(deadline))?.reveal()).toEqual([]);
  });

  it.each(['', 'a b', 'a\r\nx: y', 'a\u0000', 'ä', '=a', 'a=b', 'Bearer a'])('S6 S7: %j is no bearer token', text => {
    expect(() => bearerCredentials(new Secret(text))).toThrow('bearer token');
  });

  it('the error does not say the token', () => {
    expect(() => bearerCredentials(new Secret('very secret'))).not.toThrow('very secret');
    expect(() => bearerCredentials(new Secret('very secret'))).toThrow();
  });
});
