/**
 * Who is let in: headers, tokens and addresses, good and hostile; the refusals must not tell one bad token from another.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiByName } from '../../src/catalogue/apis.ts';
import type { ClientConfig } from '../../src/config/config.ts';
import type { ApiName, ClientId } from '../../src/domain/ids.ts';
import { Refusal, type RefusalReason } from '../../src/domain/refusal.ts';
import { Secret } from '../../src/domain/secret.ts';
import { checkScope, createAuthenticator } from '../../src/edge/authenticate.ts';
import { cidrs, clientWith, NO_KEYS, tokenHash } from './clients.ts';

const client = (id: string, tokens: readonly string[], changes: Partial<ClientConfig> = {}): ClientConfig =>
  clientWith({ id: id as ClientId, access: { kind: 'bearer', tokenSha256: tokens.map(tokenHash) }, ...changes });

const CLIENTS = [client('a', ['first-token', 'second']), client('b', ['others'], { allowFrom: cidrs('10.0.0.0/8') })];

const ask = (authorization: string | undefined, peer = '10.0.0.1', forwardedFor: readonly string[] = []) => {
  const header = authorization === undefined ? undefined : new Secret(authorization);
  return createAuthenticator(CLIENTS, []).authenticate({ authorization: header, peer, forwardedFor });
};

const reasonOf = async (run: () => unknown): Promise<RefusalReason | undefined> => {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
};

describe('authenticate', () => {
  it('names the client of each token', async () => {
    expect((await ask('Bearer first-token')).client.id).toBe('a');
    expect((await ask('Bearer second')).client.id).toBe('a');
    expect((await ask('bearer others')).client.id).toBe('b');
  });

  it('S1-S8: says the header is wrong before it looks at anything else', async () => {
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic first-token',
      'Bearer first-token, Bearer first-token',
    ]) {
      expect(await reasonOf(() => ask(header, 'garbage'))).toBe('authorizationHeader');
    }
  });

  it('S10-S15: an unknown token is one whatever the address', async () => {
    expect(await reasonOf(() => ask('Bearer nobody'))).toBe('token');
    expect(await reasonOf(() => ask('Bearer nobody', '9.9.9.9'))).toBe('token');
    expect(
      await reasonOf(() =>
        createAuthenticator([], []).authenticate({ authorization: new Secret('Bearer x'), peer: '', forwardedFor: [] }),
      ),
    ).toBe('token');
  });

  it('S13: the list is the client’s own', async () => {
    expect(await reasonOf(() => ask('Bearer others', '9.9.9.9'))).toBe('address');
    expect(await reasonOf(() => ask('Bearer others', ''))).toBe('address');
    expect(await reasonOf(() => ask('Bearer others', '9.9.9.9', ['10.0.0.1']))).toBe('address');
    expect((await ask('Bearer first-token', '9.9.9.9')).client.id).toBe('a');
    expect((await ask('Bearer others', '::ffff:10.9.9.9')).client.id).toBe('b');
  });

  it('S15: a client of OAuth has no opaque token', async () => {
    const bank = client('bank', [], { access: { kind: 'oauth', keys: NO_KEYS } });
    const authenticator = createAuthenticator([bank], []);
    const call = { authorization: new Secret('Bearer x'), peer: '127.0.0.1', forwardedFor: [] };
    expect(await reasonOf(() => authenticator.authenticate(call))).toBe('token');
  });

  it('S6, S7: anything but one token of its form is 401, anything else that is not the token 403', async () => {
    const form = /^[A-Za-z0-9\-._~+/]{1,64}$/;
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), async text => {
        fc.pre(text !== 'first-token' && !text.includes('='));
        expect(await reasonOf(() => ask(`Bearer ${text}`))).toBe(form.test(text) ? 'token' : 'authorizationHeader');
      }),
    );
  });

  it('S11: any change of a token is another token', async () => {
    const token = 'first-token';
    const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...'abcxyzABC0189-._~+/'));
    await fc.assert(
      fc.asyncProperty(change, async ([at, character]) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(await reasonOf(() => ask(`Bearer ${changed}`))).toBe('token');
      }),
    );
  });

  it('I14: a refusal does not carry the token', async () => {
    try {
      await ask('Bearer canary-4111');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain('canary');
    }
  });
});

/** What the authenticator makes of a client with an opaque token. */
const callerOf = (caller: ClientConfig) => ({ client: caller, apis: caller.scopes });

describe('tokens of ours', () => {
  const bank = client('bank', [], { access: { kind: 'oauth', keys: NO_KEYS }, allowFrom: cidrs('10.0.0.0/8') });
  const apis = new Set(['Purchase' as ApiName]);
  const JWT = `${'a'.repeat(40)}.${'b'.repeat(40)}.${'c'.repeat(40)}`;

  /** A verifier that knows one token, as the client's with this id; and what it was asked. */
  const asked = async (token: string, clientId = 'bank', peer = '10.0.0.1') => {
    const seen: string[] = [];
    const verify = async (text: string) => {
      seen.push(text);
      if (text !== JWT) throw new Refusal('token');
      return { clientId: clientId as ClientId, apis, jti: 'j', issuedAt: 0, expiresAtMs: 0 };
    };
    const call = { authorization: new Secret(`Bearer ${token}`), peer, forwardedFor: [] };
    const authenticator = createAuthenticator([...CLIENTS, bank], [], { verify });
    const result = await authenticator.authenticate(call).catch((error: Refusal) => error.reason);
    return { result, seen };
  };

  it('names the client and what the token allows', async () => {
    expect((await asked(JWT)).result).toEqual({ client: bank, apis });
  });

  it('S8: is not asked about what is no token of ours, nor about what is longer than one can be', async () => {
    for (const token of ['a'.repeat(65), `${JWT}${'c'.repeat(4096)}`]) {
      expect(await asked(token)).toEqual({ result: 'authorizationHeader', seen: [] });
    }
    expect(await asked('a.b.c')).toEqual({ result: 'token', seen: [] });
  });

  it('S15, S12: a token for a client of opaque tokens, or for nobody, is nobody’s', async () => {
    expect((await asked(JWT, 'a')).result).toBe('token');
    expect((await asked(JWT, 'gone')).result).toBe('token');
    expect((await asked(`x${JWT}`)).result).toBe('token');
  });

  it('S13: the address counts for them as well', async () => {
    expect((await asked(JWT, 'bank', '11.0.0.1')).result).toBe('address');
  });
});

describe('checkScope', () => {
  const purchase = apiByName('Purchase');
  const refund = apiByName('Refund');
  if (!purchase || !refund) throw new Error('the catalogue has lost them');

  it('S36: allows what the scopes name, and nothing else', async () => {
    const [a] = CLIENTS;
    if (!a) throw new Error('unreachable');
    expect(await reasonOf(() => checkScope(callerOf(a), purchase))).toBeUndefined();
    expect(await reasonOf(() => checkScope(callerOf(a), refund))).toBe('scope');
    expect(await reasonOf(() => checkScope(callerOf({ ...a, scopes: new Set() }), purchase))).toBe('scope');
  });

  it('S36: what the token lacks, its client may not call with it, and the other way round', async () => {
    const client = clientWith();
    const onlyRefund = new Set([refund.name]);
    expect(await reasonOf(() => checkScope({ client, apis: onlyRefund }, purchase))).toBe('scope');
    expect(await reasonOf(() => checkScope({ client, apis: onlyRefund }, refund))).toBe('scope');
    expect(await reasonOf(() => checkScope({ client, apis: new Set([purchase.name]) }, purchase))).toBeUndefined();
  });
});
