/**
 * The end of an open loop: what was due in its time and has to wait for a connection is still sent, so that a server which
 * pauses for a moment is late there as anywhere else, and has not failed.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { putLoad } from '../../../bench/engine/loaders.ts';
import { tempDir } from '../../support/places.ts';
import { LOAD } from './stubServer.ts';

const RATE = 100;
const CONNECTIONS = 4;
/** From here on answers are held back until the time is over. */
const PAUSE_FROM = 40;

it('sends what waits for a connection when the time is over', async () => {
  const held: (() => void)[] = [];
  let [received, isOver] = [0, false];
  const server = createServer((request, response) => {
    request.resume();
    received += 1;
    const answer = () => void response.end('{"responseCode":"00"}');
    if (received < PAUSE_FROM || isOver) answer();
    else held.push(answer);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const slice = { from: 0, count: 1_000 };
  let receivedInTime = 0;
  const { answered, lost } = await putLoad(
    { url, load: LOAD, slice, connections: CONNECTIONS, ratePerSecond: RATE, warmUpSeconds: 0.2, seconds: 0.5 },
    { pin: command => command, dir: tempDir('loader') },
    {
      onBegin: () => undefined,
      onEnd: () => {
        [receivedInTime, isOver] = [received, true];
        for (const answer of held) answer();
      },
    },
  );
  expect(received).toBeGreaterThan(receivedInTime);
  expect(Math.abs(answered + lost - RATE / 2)).toBeLessThanOrEqual(1);
});
