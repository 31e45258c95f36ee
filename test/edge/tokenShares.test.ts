/**
 * Who is served at the token endpoint when many ask at once: one peer cannot starve the others, nor one client, and
 * nobody waits for long.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTokenEndpoint, type Once, type TokenResponse } from '../../src/edge/tokenEndpoint.ts';
import { waitFor } from '../support/waitFor.ts';
import { assertion, brief, EndpointStage, encoded, parameters, request, shopAssertion } from './endpointStage.ts';

/** So many of one client are on their way to the journal, and so many more wait. */
const CLIENT_SHARE = 16;
const CLIENT_WAITING = 64;
const PEER_SHARE = 8;
const BUSY = '503 temporarily_unavailable busy';

let stage: EndpointStage;
let timers: (() => void)[];
/** What the journal has been asked and has not answered. */
let asked: ((answer: 'first') => void)[];
let ask: (assertionText: string, caller?: string) => Promise<TokenResponse>;

beforeEach(() => {
  stage = new EndpointStage();
  timers = [];
  asked = [];
  const once: Once = { take: () => new Promise(resolve => void asked.push(resolve)) };
  const clock = Object.assign(stage.clock, {
    after: (_: number, run: () => void) => {
      timers.push(run);
      return () => {
        timers = timers.filter(timer => timer !== run);
      };
    },
  });
  const endpoint = createTokenEndpoint(stage.deps({ once, clock }));
  ask = (text, caller = 'peer') => endpoint(request(encoded(parameters({ client_assertion: text })), { caller }));
});

const answerAll = () => {
  for (const answer of asked.splice(0)) answer('first');
};

describe('a journal that is slow', () => {
  it('F85: one client fills its own share and no other’s; the rest of it waits, and no longer than its time', async () => {
    const calls = Array.from({ length: CLIENT_SHARE + 1 }, () => ask(assertion()));
    await waitFor('the share to be full', () => asked.length === CLIENT_SHARE && timers.length > 0);
    const other = ask(shopAssertion(), 'another');
    await waitFor('the other client', () => asked.length === CLIENT_SHARE + 1);
    // One of the seventeen has waited for as long as it may.
    for (const run of timers) run();
    answerAll();
    const ends = (await Promise.all(calls)).map(brief);
    expect(ends.filter(end => end === BUSY)).toHaveLength(1);
    expect(ends.filter(end => end.startsWith('200'))).toHaveLength(CLIENT_SHARE);
    expect((await other).status).toBe(200);
    expect((await other).log.client).toBe('shop');
  });

  it('F85: whoever waits comes in when one of its own has left', async () => {
    const calls = Array.from({ length: CLIENT_SHARE + 2 }, () => ask(assertion()));
    await waitFor('the share to be full', () => asked.length === CLIENT_SHARE && timers.length === 2);
    asked.shift()?.('first');
    await waitFor('the next one', () => asked.length === CLIENT_SHARE && timers.length === 1);
    answerAll();
    await waitFor('the last one', () => asked.length > 0);
    answerAll();
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(timers).toEqual([]);
  });

  it('F85: holds up nobody who is still to be authenticated, and what is past the queue is sent away', async () => {
    const calls = Array.from({ length: CLIENT_SHARE + CLIENT_WAITING + 5 }, (_, no) => ask(assertion(), `peer-${no}`));
    const ends: string[] = [];
    for (const call of calls) void call.then(response => ends.push(brief(response)));
    await waitFor('those that are sent away', () => ends.length === 5 && timers.length === CLIENT_WAITING);
    expect(new Set(ends)).toEqual(new Set([BUSY]));
    expect((await ask('garbage')).status).toBe(401);
    while (ends.length < calls.length) {
      answerAll();
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(ends.filter(end => end.startsWith('200'))).toHaveLength(CLIENT_SHARE + CLIENT_WAITING);
  });
});

describe('signatures that are still to be checked', () => {
  it('F85: a peer that asks without end does not keep another one waiting', async () => {
    const order: string[] = [];
    const flood = Array.from({ length: 60 }, () => ask(assertion(), 'flood').then(() => order.push('flood')));
    const other = ask('garbage', 'other').then(() => order.push('other'));
    await other;
    // Of the flood only what was at work already may have come first.
    expect(order.filter(who => who === 'flood').length).toBeLessThanOrEqual(PEER_SHARE);
    while (order.length <= flood.length) {
      answerAll();
      await new Promise(resolve => setImmediate(resolve));
    }
    await Promise.all(flood);
  });
});
