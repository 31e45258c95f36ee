/**
 * Both loaders against a server that remembers: they send the same requests, each with an id of its own, as often as they
 * were told, and they tell answers from failures. How fast anything is does not matter here.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LoaderOrder } from '../../../bench/engine/loader.ts';
import { findWrk, putLoad } from '../../../bench/engine/loaders.ts';
import { countOf } from '../../../bench/engine/statistics.ts';
import { parseWrkReport, REPORT_MARK } from '../../../bench/engine/wrkReport.ts';
import { quoted } from '../../../bench/engine/wrkScript.ts';
import { ID_LENGTH, idOf } from '../../../bench/peers/ids.ts';
import type { Load } from '../../../bench/peers/types.ts';
import { tempDir } from '../../support/places.ts';
import { LOAD, type Received, type StubServer, startStub } from './stubServer.ts';

const RATE = 100;
/** An open loop of half a second after a warm-up, and a closed one for the shortest time that wrk knows. */
const OPEN = { ratePerSecond: RATE, warmUpSeconds: 0.2, seconds: 0.5 };
const CLOSED = { ratePerSecond: 0, warmUpSeconds: 0, seconds: 1 };

async function stub(...options: Parameters<typeof startStub>): Promise<StubServer> {
  const server = await startStub(...options);
  onTestFinished(server.stop);
  return server;
}

async function put(server: StubServer, stretch: Partial<LoaderOrder>, load: Load = LOAD, find = findWrk) {
  const seen: string[] = [];
  const order = { url: server.url, load, slice: { from: 1_000, count: 100_000 }, connections: 4, ...OPEN, ...stretch };
  const place = { pin: (command: readonly string[]) => command, dir: tempDir('loader') };
  const watch = { onBegin: () => void seen.push('begin'), onEnd: () => void seen.push('end') };
  const report = await putLoad(order, place, watch, find);
  expect(seen).toEqual(['begin', 'end']);
  return report;
}

const idsOf = (received: readonly Received[]): string[] =>
  received.map(({ body }) =>
    body.slice(LOAD.body.kind === 'template' ? LOAD.body.before.length : 0).slice(0, ID_LENGTH),
  );

/** A load with so many prepared messages. */
function pool(there: number): Load {
  const file = join(tempDir('pool'), 'messages.txt');
  writeFileSync(file, Array.from({ length: there }, (_, index) => `m${index}\n`).join(''));
  return { ...LOAD, body: { kind: 'pool', file, count: 60 } };
}

function expectRequests(received: readonly Received[]): void {
  expect(new Set(idsOf(received)).size).toBe(received.length);
  expect(received.map(({ url }) => url)).toEqual(received.map(() => '/base/pay'));
  const authorizations = new Set(received.map(({ headers }) => headers.authorization));
  expect([...authorizations].sort()).toEqual(['Bearer a', 'Bearer b', 'Bearer c']);
  for (const { headers, body } of received) {
    expect(headers).toMatchObject({ 'content-type': 'application/json', timestamp: expect.stringMatching(/^\d{10}$/) });
    expect(body).toMatch(/^\{"note":"\\"\\\\ é \p{Cc}\d{32}"\}$/u);
  }
}

describe('the open loop', () => {
  it('sends what was due in its time, whatever the machine is busy with', async () => {
    const server = await stub();
    const { answered, lost, bad, usedUp, histogram, seconds } = await put(server, {});
    expect(seconds).toBeCloseTo(0.5, 6);
    expect(Math.abs(answered + lost - RATE / 2)).toBeLessThanOrEqual(1);
    expect(countOf(histogram)).toBe(answered + lost);
    expect([bad, usedUp]).toEqual([0, 0]);
    expectRequests(server.received);
  });

  it('counts answers that are no approvals, and connections that break', async () => {
    const refusing = await stub('{"responseCode":"91"}');
    const { answered, bad } = await put(refusing, {});
    expect(bad).toBe(answered);
    const cutting = await stub(undefined, 1_000);
    const report = await put(cutting, {});
    expect([report.answered, report.lost > 0]).toEqual([0, true]);
  });

  it('sends each prepared message once, and says how many more it would have needed', async () => {
    const server = await stub();
    const { usedUp } = await put(server, { slice: { from: 10, count: 20 } }, pool(60));
    const bodies = server.received.map(({ body }) => body);
    expect(new Set(bodies)).toEqual(new Set(Array.from({ length: 20 }, (_, index) => `m${index + 10}`)));
    expect(usedUp).toBeGreaterThan(0);
  });
});

describe('the closed loop where there is no wrk', () => {
  const none = () => undefined;

  it('sends the same requests, by autocannon', async () => {
    const server = await stub();
    const { answered, bad, lost, usedUp, histogram, seconds } = await put(server, CLOSED, LOAD, none);
    expect(seconds).toBeCloseTo(1, 6);
    expect(answered).toBeGreaterThan(0);
    expect([bad, lost, usedUp]).toEqual([0, 0, 0]);
    expect(countOf(histogram)).toBe(answered);
    expectRequests(server.received);
    expect(idsOf(server.received).every(id => id >= idOf(1_000))).toBe(true);
  });

  it('counts answers that are no approvals', async () => {
    const { answered, bad } = await put(await stub('{"responseCode":"91"}'), CLOSED, LOAD, none);
    expect(answered).toBeGreaterThan(0);
    expect(bad).toBe(answered);
  });
});

describe('prepared messages that are not there', () => {
  it.each([
    ['beyond the last one', { from: 50, count: 20 }, 60, 'has 60 prepared messages, and 20 from number 50 on'],
    ['none at all', { from: 10, count: 0 }, 60, 'and 0 from number 10 on'],
    ['more than the file really has', { from: 0, count: 60 }, 40, 'has 40 prepared messages, and 60 from number 0 on'],
  ])('are refused before anything is sent: %s', async (_, slice, there, problem) => {
    const server = await stub();
    for (const find of [findWrk, () => undefined]) {
      await expect(put(server, { ...CLOSED, slice }, pool(there), find)).rejects.toThrow(problem);
    }
    expect(server.received).toEqual([]);
  });
});

describe.skipIf(findWrk() === undefined)('the closed loop by wrk', () => {
  it('sends the same requests', async () => {
    const server = await stub();
    const { answered, bad, lost, histogram } = await put(server, CLOSED);
    expect(answered).toBeGreaterThan(0);
    expect([bad, lost]).toEqual([0, 0]);
    expect(countOf(histogram)).toBeGreaterThan(0);
    expectRequests(server.received);
    expect(idsOf(server.received).every(id => id >= idOf(1_000))).toBe(true);
  });

  it('sends the messages of the slice, and begins again where it has no more, which it says', async () => {
    const server = await stub();
    const { usedUp, lost } = await put(server, { ...CLOSED, slice: { from: 40, count: 20 } }, pool(60));
    const bodies = server.received.map(({ body }) => body);
    expect(new Set(bodies)).toEqual(new Set(Array.from({ length: 20 }, (_, index) => `m${index + 40}`)));
    expect([usedUp > 0, lost]).toEqual([true, 0]);
  });

  it('counts answers that are no approvals', async () => {
    const { answered, bad } = await put(await stub('{"responseCode":"91"}'), CLOSED);
    expect(bad).toBe(answered);
  });
});

describe('what wrk says', () => {
  it('is read from among whatever else it prints', () => {
    const line = '{"seconds":1.5,"answered":3,"bad":1,"lost":2,"usedUp":0,"histogram":[[100,2],[200,1]]}';
    expect(parseWrkReport(`Running 1s test\n${REPORT_MARK}${line}\nRequests/sec: 2`)).toEqual(JSON.parse(line));
  });

  it.each([
    ['nothing', 'Running 1s test'],
    ['no number', `${REPORT_MARK}{"seconds":null}`],
  ])('is refused where it is %s', (_, output) => expect(() => parseWrkReport(output)).toThrow(/wrk/));
});

describe('a text in Lua', () => {
  it.each([
    ['a "b" \\ c', '"a \\"b\\" \\\\ c"'],
    ['line\nend', '"line\\nend"'],
    ['\u00011', '"\\0011"'],
    ['é', '"é"'],
  ])('%j is %s', (text, expected) => expect(quoted(text)).toBe(expected));
});
