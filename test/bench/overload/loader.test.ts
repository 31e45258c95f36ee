/**
 * The loader of the overload bench against a server that answers as told: what is of use, what was refused, what came too
 * late and what found no connection are told apart, and nothing is counted twice.
 */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { LoaderOrder, LoaderReport } from '../../../bench/overload/loader.ts';

const LOADER = fileURLToPath(new URL('../../../bench/overload/loader.ts', import.meta.url));
const BEFORE = '{"tranId":"';
const AFTER = '"}';
const LENGTH = BEFORE.length + 32 + AFTER.length;

/** Answers the n-th request, counted from 1, with this status; 0 for never. Gives the ids that it saw. */
async function server(statusOf: (no: number) => number): Promise<{ port: number; ids: string[] }> {
  const ids: string[] = [];
  const http: Server = createServer((incoming, outgoing) => {
    let text = '';
    incoming.on('data', chunk => {
      text += String(chunk);
    });
    incoming.on('end', () => {
      ids.push(JSON.parse(text).tranId);
      const status = statusOf(ids.length);
      const body = JSON.stringify({ responseCode: status === 200 ? '00' : '91' });
      if (status !== 0) outgoing.writeHead(status, { 'Content-Length': body.length }).end(body);
    });
  });
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { port: (http.address() as AddressInfo).port, ids };
}

async function put(port: number, order: Partial<LoaderOrder>): Promise<LoaderReport> {
  const whole: LoaderOrder = {
    ...{ host: '127.0.0.1', port, before: BEFORE, after: AFTER, firstId: 7e9, pids: [process.pid] },
    heads: [`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${LENGTH}\r\n`],
    ...{ connections: 4, ratePerSecond: 0, warmUpMs: 50, measuredMs: 300, budgetMs: 3000 },
    ...order,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [LOADER, JSON.stringify(whole)]);
  return JSON.parse(stdout);
}

it('tells approvals from refusals, and sends every id once', async () => {
  const { port, ids } = await server(no => (no % 2 === 0 ? 503 : 200));
  const report = await put(port, {});
  expect(report.good).toBeGreaterThan(0);
  expect(report.shed).toBeGreaterThan(0);
  expect(report.other + report.late + report.broken + report.noConnection).toBe(0);
  expect(report.offered).toBe(report.good + report.shed);
  expect(new Set(ids).size).toBe(ids.length);
  expect(report.cpuSeconds).toBeGreaterThanOrEqual(0);
});

it('an open loop offers its rate whatever becomes of it, and counts who finds no connection', async () => {
  const { port } = await server(() => 0);
  const report = await put(port, { connections: 2, ratePerSecond: 1000, warmUpMs: 1, measuredMs: 500 });
  expect(report.good).toBe(0);
  expect(report.offered).toBeGreaterThan(2);
  expect(report.noConnection).toBeGreaterThanOrEqual(report.offered - 2);
});

it('what comes after the budget is of no use', async () => {
  const { port } = await server(() => 200);
  const report = await put(port, { budgetMs: 0 });
  expect(report.good).toBe(0);
  expect(report.late).toBeGreaterThan(0);
});
