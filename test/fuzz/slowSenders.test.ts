/**
 * Senders that stop in the middle, or drip, at any byte of a request, against a public port with short limits: each is
 * ended by the server, hears one answer at most, has no effect, and keeps nobody else waiting.
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../edge/mutations.ts';
import { startStage, textOf } from '../http/stage.ts';
import { exchange } from '../http/wire.ts';
import { waitFor } from '../support/waitFor.ts';

const RUNS = fuzzRuns(120);
/** Senders at a time. */
const AT_A_TIME = 60;
const TEST = { timeout: 60_000 + RUNS * 50 } as const;
/** Of the server. A head may take so long, and a whole request so long. */
const LIMITS = { headersTimeoutMs: 600, requestTimeoutMs: 1000, keepAliveTimeoutMs: 600 } as const;
/** Between two drips. */
const DRIP_MS = 50;

type Sender = { readonly stopsAt: number; readonly drips: boolean; readonly chunked: boolean };

const senders: fc.Arbitrary<Sender> = fc.record({
  stopsAt: fc.nat(10_000),
  drips: fc.boolean(),
  chunked: fc.boolean(),
});

const WHOLE = textOf({ body: 'x'.repeat(300) });
const IN_CHUNKS = `${textOf({ headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, body: '' })}a\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`;

/** Sends all but the end, and drips what it may of the rest without ever finishing; what was heard until the server ended it. */
async function sendSlowly(port: number, { stopsAt, drips, chunked }: Sender): Promise<string> {
  const text = chunked ? IN_CHUNKS : WHOLE;
  const cut = stopsAt % text.length;
  const socket = connect({ port, host: '127.0.0.1' });
  let heard = '';
  let closed = false;
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  socket.write(text.slice(0, cut), 'latin1');
  let at = cut;
  const drip = setInterval(() => {
    if (drips && at < text.length - 1 && socket.writable) socket.write(text.slice(at, at + 1), 'latin1');
    at += 1;
  }, DRIP_MS);
  try {
    await waitFor('the server to end it', () => closed);
  } finally {
    clearInterval(drip);
    socket.destroy();
  }
  return heard;
}

describe('F11: senders that never finish', () => {
  it('F11: are ended, wherever they stop, hear one answer at most, and keep nobody waiting', TEST, async () => {
    const stage = await startStage({ limits: LIMITS });
    let good = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(senders, { minLength: AT_A_TIME, maxLength: AT_A_TIME }), async all => {
        const slow = Promise.all(all.map(sender => sendSlowly(stage.port, sender)));
        // In the middle of it all.
        expect((await exchange(stage.port, textOf()))?.status).toBe(200);
        good += 1;
        for (const heard of await slow) {
          expect(heard.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
          if (heard !== '') expect(heard).toMatch(/^HTTP\/1\.1 400 /);
        }
      }),
      { numRuns: Math.max(1, Math.round(RUNS / AT_A_TIME)), endOnFailure: true },
    );
    expect(stage.effects).toHaveLength(good);
    expect(stage.defects).toEqual([]);
    expect(stage.inFlight()).toBe(0);
  });
});
