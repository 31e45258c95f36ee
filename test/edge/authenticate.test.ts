/**
 * Who is let in: headers, tokens and addresses, good and hostile; the refusals must not tell one bad token from another.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiByName } from '../../src/catalogue/apis.ts';
import type { ClientConfig } from '../../src/config/config.ts';
import type { ClientId } from '../../src/domain/ids.ts';
import { Refusal, type RefusalReason } from '../../src/domain/refusal.ts';
import { Secret } from '../../src/domain/secret.ts';
import { checkScope, createAuthenticator } from '../../src/edge/authenticate.ts';
import { cidrs, clientWith, tokenHash } from './clients.ts';

const client = (id: string, tokens: readonly string[], changes: Partial<ClientConfig> = {}): ClientConfig =>
  clientWith({ id: id as ClientId, access: { kind: 'bearer', tokenSha256: tokens.map(tokenHash) }, ...changes });

const CLIENTS = [client('a', ['first-token', 'second']), client('b', ['others'], { allowFrom: cidrs('10.0.0.0/8') })];

const ask = (authorization: string | undefined, peer = '10.0.0.1', forwardedFor: readonly string[] = []) => {
  const header = authorization === undefined ? undefined : new Secret(authorization);
  return createAuthenticator(CLIENTS, []).authenticate({ authorization: header, peer, forwardedFor });
};

const reasonOf = (run: () => unknown): RefusalReason | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
};

describe('authenticate', () => {
  it('names the client of each token', () => {
    expect(ask('Bearer first-token').id).toBe('a');
    expect(ask('Bearer second').id).toBe('a');
    expect(ask('bearer others').id).toBe('b');
  });

  it('S1-S8: says the header is wrong before it looks at anything else', () => {
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic first-token',
      'Bearer first-token, Bearer first-token',
    ]) {
      expect(reasonOf(() => ask(header, 'garbage'))).toBe('authorizationHeader');
    }
  });

  it('S10-S15: an unknown token is one whatever the address', () => {
    expect(reasonOf(() => ask('Bearer nobody'))).toBe('token');
    expect(reasonOf(() => ask('Bearer nobody', '9.9.9.9'))).toBe('token');
    expect(
      reasonOf(() =>
        createAuthenticator([], []).authenticate({ authorization: new Secret('Bearer x'), peer: '', forwardedFor: [] }),
      ),
    ).toBe('token');
  });

  it('S13: the list is the client’s own', () => {
    expect(reasonOf(() => ask('Bearer others', '9.9.9.9'))).toBe('address');
    expect(reasonOf(() => ask('Bearer others', ''))).toBe('address');
    expect(reasonOf(() => ask('Bearer others', '9.9.9.9', ['10.0.0.1']))).toBe('address');
    expect(ask('Bearer first-token', '9.9.9.9').id).toBe('a');
    expect(ask('Bearer others', '::ffff:10.9.9.9').id).toBe('b');
  });

  it('S15: a client of OAuth has no opaque token', () => {
    const bank = client('bank', [], { access: { kind: 'oauth', keys: { kind: 'jwks', keysFile: '/x' } } });
    const authenticator = createAuthenticator([bank], []);
    const call = { authorization: new Secret('Bearer x'), peer: '127.0.0.1', forwardedFor: [] };
    expect(reasonOf(() => authenticator.authenticate(call))).toBe('token');
  });

  it('S6, S7: anything but one token of its form is 401, anything else that is not the token 403', () => {
    const form = /^[A-Za-z0-9\-._~+/]{1,64}$/;
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), text => {
        fc.pre(text !== 'first-token' && !text.includes('='));
        expect(reasonOf(() => ask(`Bearer ${text}`))).toBe(form.test(text) ? 'token' : 'authorizationHeader');
      }),
    );
  });

  it('S11: any change of a token is another token', () => {
    const token = 'first-token';
    const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...'abcxyzABC0189-._~+/'));
    fc.assert(
      fc.property(change, ([at, character]) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(reasonOf(() => ask(`Bearer ${changed}`))).toBe('token');
      }),
    );
  });

  it('I14: a refusal does not carry the token', () => {
    try {
      ask('Bearer canary-4111');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain('canary');
    }
  });
});

describe('checkScope', () => {
  const purchase = apiByName('Purchase');
  const refund = apiByName('Refund');
  if (!purchase || !refund) throw new Error('the catalogue has lost them');

  it('S36: allows what the scopes name, and nothing else', () => {
    const [a] = CLIENTS;
    if (!a) throw new Error('unreachable');
    expect(reasonOf(() => checkScope(a, purchase))).toBeUndefined();
    expect(reasonOf(() => checkScope(a, refund))).toBe('scope');
    expect(reasonOf(() => checkScope({ ...a, scopes: new Set() }, purchase))).toBe('scope');
  });
});
