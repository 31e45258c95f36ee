/**
 * What the log writes and what it cannot be made to write.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiName, ClientId, IssuerId } from '../../src/domain/ids.ts';
import type { RequestRecord } from '../../src/http/journey.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { createLog, type LogFields } from '../../src/runtime/log.ts';
import { tempDir } from '../support/places.ts';
import { waitFor, within } from '../support/waitFor.ts';

const record = (changes: Partial<RequestRecord> = {}): RequestRecord => ({
  requestId: 'r1',
  peer: '127.0.0.1',
  api: 'Purchase' as ApiName,
  clientId: 'wallet' as ClientId,
  issuer: 'bank' as IssuerId,
  outcome: 'approved',
  status: 200,
  code: '00',
  replayed: false,
  maskedCard: '411111******1111',
  totalMs: 12.3456,
  issuerMs: 9.999,
  ...changes,
});

/** A clock in the test's hand: `forward` runs what has come due. */
const handClock = () => {
  let now = 0;
  const due: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    wallMs: () => Date.UTC(2026, 0, 2) + now,
    monotonicMs: () => now,
    after: (ms, run) => {
      due.push({ at: now + ms, run });
      return () => undefined;
    },
  };
  const forward = (ms: number) => {
    now += ms;
    for (const one of due.splice(0)) one.at <= now ? one.run() : due.push(one);
  };
  return { clock, forward };
};

const start = (worker?: number) => {
  const lines: string[] = [];
  const { clock, forward } = handClock();
  const log = createLog({ clock, destination: { write: line => lines.push(line) }, ...(worker && { worker }) });
  const parsed = (): Record<string, unknown>[] => lines.map(line => JSON.parse(line));
  return { log, lines, parsed, forward };
};

describe('the line of a request', () => {
  it('says who, what, where, how long and how it ended, in one line', () => {
    const { log, lines, parsed } = start();
    log.request(record());
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: '2026-01-02T00:00:00.000Z',
        event: 'request',
        requestId: 'r1',
        clientId: 'wallet',
        peer: '127.0.0.1',
        api: 'Purchase',
        issuer: 'bank',
        status: 200,
        code: '00',
        outcome: 'approved',
        replayed: false,
        card: '411111******1111',
        ms: 12.35,
        issuerMs: 10,
      },
    ]);
  });

  it('I14: takes nothing but what it names, whatever else the record carries', () => {
    const { log, lines } = start();
    const more = { ...record(), body: 'canary', fields: { cardNumber: 'canary' }, authorization: 'canary' };
    log.request(more);
    expect(lines.join()).not.toContain('canary');
  });

  it('is an error where the gateway failed', () => {
    const { log, parsed } = start();
    log.request(record({ outcome: 'failed', status: 500, code: '96' }));
    expect(parsed()).toMatchObject([{ level: 'error', outcome: 'failed' }]);
  });
});

describe('every line', () => {
  it.each([undefined, 3])('begins in the same way, whatever it tells (worker %s)', worker => {
    const { log, lines } = start(worker);
    log.request(record());
    log.oauth({ ...record(), clientId: undefined, endpoint: 'token', result: 'issued' });
    log.info('started');
    const begins = lines.map(line => line.slice(0, line.indexOf('"event"')));
    expect(lines).toHaveLength(3);
    expect(new Set(begins).size).toBe(1);
    expect(begins[0]).toContain(worker === undefined ? '"level":"info","time":' : ',"worker":3,');
  });

  it('has the time of its moment, also right before and after a full second', () => {
    const { log, parsed, forward } = start();
    for (const wait of [0, 7, 0.5, 991.9, 0.6, 59_000]) {
      forward(wait);
      log.request(record());
    }
    const begin = Date.UTC(2026, 0, 2);
    const times = [0, 7, 7, 999, 1000, 60_000].map(ms => new Date(begin + ms).toISOString());
    expect(parsed().map(line => line.time)).toEqual(times);
  });
});

describe('operational events', () => {
  it('hold the names of the list and scalars, and nothing else', () => {
    const { log, lines, parsed } = start();
    const fields = { issuer: 'bank', count: 3, state: true, secret: 'canary', reason: { a: 'canary' } };
    log.warn('breaker', fields as unknown as LogFields);
    expect(parsed()).toMatchObject([{ level: 'warn', event: 'breaker', issuer: 'bank', count: 3, state: true }]);
    expect(lines.join()).not.toContain('canary');
  });

  it('S101: are one line of visible characters, whatever a value holds', () => {
    const { log, lines } = start();
    const nasty = 'a\r\n{"level":"info"}\0\x1b[31m\u0085\u200b\u202e\u2028\u2066\ufeff';
    log.info('configWarning', { what: nasty });
    log.request(record({ peer: nasty }));
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  });

  it('S101: the same for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
        const { log, lines } = start();
        log.error('alarm', { reason: text });
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029](?!$)/u);
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'alarm' });
      }),
    );
  });

  it('I10: long values are cut', () => {
    const { log, lines } = start();
    log.info('alarm', { reason: 'x'.repeat(1_000_000) });
    expect(lines.join().length).toBeLessThan(1000);
  });
});

describe('defects', () => {
  it('I14: say type, code and place, but never the text, which may quote input', () => {
    const { log, lines, parsed } = start();
    const caught = (): unknown => {
      try {
        return JSON.parse('{"cardNumber": canary}');
      } catch (error) {
        return error;
      }
    };
    log.defect(caught(), 'r7');
    expect(parsed()).toMatchObject([{ level: 'error', event: 'defect', kind: 'SyntaxError', requestId: 'r7' }]);
    expect(parsed()[0]?.at).toEqual(expect.arrayContaining([expect.stringMatching(/^at .*log\.test\.ts/)]));
    expect(lines.join()).not.toContain('canary');
  });

  it.each<[string, unknown]>([
    ['a text', 'canary'],
    ['an object', { message: 'canary', stack: 'canary' }],
    ['null', null],
    ['a cause', new Error('x', { cause: new Error('canary') })],
    ['a message that looks like a place', new Error('x\n    at canary (canary:1:1)')],
    ['a name', Object.assign(new Error('x'), { name: 'canary 4111' })],
    ['a code', Object.assign(new Error('x'), { code: 'canary 4111' })],
    ['arguments of a command', Object.assign(new Error('x'), { command: { args: ['canary'] } })],
    ['no stack', Object.assign(new Error('canary'), { stack: undefined })],
  ])('I14: %s does not get out', (_what, error) => {
    const { log, lines } = start();
    log.defect(error);
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain('canary');
  });

  it('keeps the code of an error of the system', () => {
    const { log, parsed } = start();
    log.defect(Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' }));
    expect(parsed()).toMatchObject([{ kind: 'Error', code: 'ECONNREFUSED' }]);
  });
});

describe('F87: floods', () => {
  const refused = (refusal: RequestRecord['refusal']) =>
    record({ outcome: 'refused', refusal, status: 403, code: '10', clientId: undefined });

  it('F87: the same refusal is written 20 times a second, then counted', () => {
    const { log, parsed, forward } = start();
    for (let count = 0; count < 1000; count += 1) log.request(refused('token'));
    expect(parsed()).toHaveLength(20);
    forward(1000);
    expect(parsed().slice(20)).toMatchObject([{ level: 'warn', event: 'linesNotLogged', reason: 'token', count: 980 }]);
    forward(5000);
    expect(parsed()).toHaveLength(21);
  });

  it('F87: the documents of OAuth are written as seldom, tokens that are issued each', () => {
    const { log, parsed, forward } = start();
    const served = { requestId: 'r1', peer: '10.0.0.1', clientId: undefined, status: 200, totalMs: 1 };
    for (let count = 0; count < 100; count += 1) {
      log.oauth({ ...served, endpoint: count % 2 ? 'jwks' : 'metadata', result: 'served' });
      log.oauth({ ...served, endpoint: 'token', result: 'issued' });
    }
    forward(1000);
    const results = parsed().map(line => line.result ?? line.event);
    expect(results.filter(result => result === 'issued')).toHaveLength(100);
    expect(results.filter(result => result === 'served')).toHaveLength(20);
    expect(parsed().at(-1)).toMatchObject({ event: 'linesNotLogged', reason: 'served', count: 80 });
  });

  it('F87: each second and each reason counts for itself', () => {
    const { log, parsed, forward } = start();
    for (let count = 0; count < 100; count += 1) log.request(refused('token'));
    log.request(refused('scope'));
    forward(1000);
    for (let count = 0; count < 100; count += 1) log.request(refused('token'));
    const requests = parsed().filter(line => line.event === 'request');
    expect(requests.filter(line => line.refusal === 'token')).toHaveLength(40);
    expect(requests.filter(line => line.refusal === 'scope')).toHaveLength(1);
  });

  it('F87: none is lost from the count, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(1500)), { maxLength: 12 }), bursts => {
        const { log, parsed, forward } = start();
        let sent = 0;
        for (const [count, wait] of bursts) {
          for (let one = 0; one < count; one += 1) log.request(refused('http'));
          sent += count;
          forward(wait);
        }
        forward(2000);
        const written = parsed().filter(line => line.event === 'request').length;
        const counted = parsed().reduce((sum, line) => sum + (line.event === 'request' ? 0 : Number(line.count)), 0);
        expect(written + counted).toBe(sent);
      }),
    );
  });

  it('what was served is never left out', () => {
    const { log, parsed } = start();
    for (let count = 0; count < 1000; count += 1) log.request(record());
    expect(parsed()).toHaveLength(1000);
  });
});

describe('where the lines go', () => {
  it('a quiet log appears without being asked', async () => {
    const file = join(tempDir('log'), 'log');
    createLog({ clock: systemClock, destination: file }).info('started');
    await waitFor('the line', () => readFileSync(file, 'utf8').includes('"started"'));
  });

  it('flush writes what is buffered at once, however much it is', async () => {
    const file = join(tempDir('log'), 'log');
    // Nothing is written because time passes.
    const log = createLog({ clock: { ...systemClock, after: () => () => undefined }, destination: file });
    for (let count = 0; count < 5000; count += 1) log.request(record({ requestId: `r${count}` }));
    await log.flush();
    const ids = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).requestId);
    expect(ids).toEqual(Array.from({ length: 5000 }, (_, count) => `r${count}`));
  });

  it('F72: a full disk stops nothing, not even the end', async () => {
    const log = createLog({ clock: systemClock, destination: '/dev/full' });
    for (let count = 0; count < 2000; count += 1) log.request(record());
    await within('the flush', log.flush());
    log.request(record());
    await within('the flush', log.flush());
  });

  it('what was written right before the end of the process is not lost', async () => {
    const code = `
      import { createLog } from './src/runtime/log.ts';
      import { systemClock } from './src/runtime/clock.ts';
      createLog({ clock: systemClock }).info('stopped');
      process.exit(0);
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module-typescript', '-e', code]);
    expect(stdout).toContain('"stopped"');
  });
});
