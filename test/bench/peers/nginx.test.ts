/** What is written for the peer on nginx: nothing is left out of its configuration, and no token is in its settings. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filledIn, settingsOf } from '../../../bench/peers/nginx.ts';
import type { Credentials } from '../../../bench/peers/types.ts';

const TEMPLATE = readFileSync(new URL('../../../bench/peers/nginx/nginx.conf', import.meta.url), 'utf8');
const WORDS = ['MODULES', 'DIR', 'HERE', 'PORT', 'ISSUER', 'ISSUER_TOKEN'];
const FILLED = Object.fromEntries(WORDS.map(word => [word, `<${word}>`]));

describe('filledIn', () => {
  it('writes every value in', () => {
    const text = filledIn(TEMPLATE, FILLED);
    expect(text).not.toMatch(/@[A-Z_]+@/);
    for (const word of WORDS) expect(text).toContain(`<${word}>`);
  });

  it.each(WORDS)('does not go on without %s', word => {
    const { [word]: _, ...rest } = FILLED;
    expect(() => filledIn(TEMPLATE, rest)).toThrow(`nginx.conf wants a value for ${word}`);
  });
});

describe('settingsOf', () => {
  const credentials = {
    participantId: '100000',
    bearerClients: [{ id: 'wallet', tokens: ['first-token', 'second-token'] }],
  } as unknown as Credentials;

  it('knows clients by the hashes of their tokens, and the database', () => {
    const settings = settingsOf('redis://127.0.0.1:6379/7', credentials);
    const client = { id: 'wallet', participants: { 100000: true } };
    expect(settings).toEqual({
      redis: { host: '127.0.0.1', port: 6379, database: 7 },
      clients: {
        '55b4b48f529c3d2daa027cbffa6cfb6a03690424550f22109e39917406c8243b': client,
        '7a35833597e6687c599a0988b7a53b9b6a7ec18b88ca2a8e60f3265c8be6d527': client,
      },
    });
  });
});
