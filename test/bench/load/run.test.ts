/**
 * `npm run load` against a real sandbox, in processes of their own: the money is right, also when the issuer misbehaves;
 * and it is said not to be, with exit code 1, when the ledger has what nobody was told.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadReport } from '../../../bench/load/report.ts';
import type { Child } from '../../support/children.ts';
import { call, get, post } from '../../support/client.ts';
import { tempDir } from '../../support/places.ts';
import { credentialsIn, runScript, startSandboxProcess } from '../../support/sandboxProcess.ts';
import { within } from '../../support/waitFor.ts';

const dir = tempDir('load-run');
let sandbox: Child;
beforeAll(async () => {
  sandbox = await startSandboxProcess(dir);
});
afterAll(() => sandbox.kill());

type Ran = { readonly code: number | null; readonly text: string; readonly report: () => LoadReport };

/** Runs the command to its end: a short load, unless the words say otherwise. */
async function load(...words: readonly string[]): Promise<Ran> {
  const out = tempDir('load-out');
  const short = words.includes('--duration') ? [] : ['--duration', '500ms', '--ramp', '100ms'];
  const child = await runScript(dir, ['bench/load/load.ts', ...short, '--out', out, ...words]);
  const code = await within('the load to end', child.exited, 60_000);
  const report = (): LoadReport => JSON.parse(readFileSync(join(out, 'load.json'), 'utf8'));
  expect(code === 2 || readFileSync(join(out, 'load.html'), 'utf8').includes('<svg')).toBe(true);
  return { code, text: child.stdout() + child.stderr(), report };
}

const setFault = (fault: Readonly<Record<string, unknown>>) =>
  post(`${credentialsIn(dir).issuerUrl}/_sandbox/faults`, JSON.stringify(fault));

type Effects = Readonly<Record<string, unknown>>[];

/** Between the load and the ledger: passes everything on, but what a card did in this run as `change` makes it. */
async function alteredLedger(change: (effects: Effects, cardToken: string) => Effects): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { status, body } = await get(credentialsIn(dir).issuerUrl + request.url);
    const effects = change(body.effects as Effects, String(body.cardToken));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ ...body, effects }));
  });
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('npm run load against the sandbox', () => {
  it('without a word but its length, loads it with everything, and the money is right', async () => {
    const { code, text, report } = await load('--duration', '2s');
    expect([code, text]).toEqual([0, expect.stringContaining('The money is right')]);
    const { money, loop, verdict, stillOpen, kinds, calls, answers } = report();
    expect(money).toMatchObject({ witness: 'ledger', differences: [], strangers: 0 });
    expect(money.cards.length).toBeGreaterThanOrEqual(4);
    expect([verdict.exitCode, stillOpen, loop.made]).toEqual([0, [], loop.due]);
    expect(calls).toBeGreaterThan(50);
    expect(kinds.map(({ label }) => label)).toEqual(expect.arrayContaining(['Purchase', 'Withdraw', 'LoadFund']));
    expect(answers).toContainEqual(expect.objectContaining({ api: 'Purchase', status: '200', code: '00' }));
  });

  it('leaves no hold behind', async () => {
    const { code } = await load('--mix', 'blockFund:100');
    expect(code).toBe(0);
    for (const { cardToken } of credentialsIn(dir).cards) {
      const { body } = await get(`${credentialsIn(dir).issuerUrl}/_sandbox/ledger/${cardToken}`);
      expect(Number(body.blockedAmount)).toBe(0);
    }
  });

  it('I1 the money is right when the issuer books and says nothing: it waits for the undos and asks for the rest', async () => {
    await setFault({ api: 'Purchase', fault: 'resetAfterEffect', times: 4 });
    await setFault({ api: 'LoadFund', fault: 'status500AfterEffect', times: 4 });
    const { code, report } = await load('--mix', 'purchase:50,loadFund:30,reversal:20', '--tries', '1');
    expect([code, report().money.differences]).toEqual([0, []]);
    const codes = report().answers.map(answer => `${answer.api} ${answer.code}`);
    expect(codes).toEqual(expect.arrayContaining(['Purchase 68', 'LoadFund 09']));
    expect(report().askedAgain).toBeGreaterThan(0);
  });

  it('calls with OAuth and encrypted payloads, and compares balances where it may not read the ledger', async () => {
    const { code, text, report } = await load('--oauth', '--ledger', 'none', '--mix', 'purchase:8,transferFund:2');
    expect([code, text]).toEqual([0, expect.stringContaining('The ledger was not read')]);
    expect(report().caller).toContain('encrypted both ways');
    expect(report().money).toMatchObject({ witness: 'balances', differences: [] });
    expect(report().money.cards.length).toBeGreaterThanOrEqual(4);
  });

  it('says with 3 that the money is right, but what was asked for is not kept', async () => {
    await setFault({ api: 'LoadFund', fault: 'status503', times: 3 });
    const { code, text } = await load('--mix', 'loadFund:1', '--tries', '1', '--failed', '0');
    expect([code, text]).toEqual([
      3,
      expect.stringMatching(/The money is right(.|\n)*NOT ACCEPTED: .* no final answer/),
    ]);
  });
});

describe('npm run load finds what is planted in the ledger', () => {
  it('doubled, lost and made up, by name, with exit code 1', async () => {
    const seen = new Set<string>();
    const server = await alteredLedger((effects, cardToken) => {
      const [first, second, ...others] = effects;
      // Once for each card, where the run has made enough.
      if (!first || !second || seen.has(cardToken)) return effects;
      seen.add(cardToken);
      const stranger = { ...first, tranId: 'nobody-asked' };
      return [first, first, ...others, stranger];
    });
    try {
      const { port } = server.address() as AddressInfo;
      const { code, text, report } = await load('--ledger', `http://127.0.0.1:${port}`, '--mix', 'purchase:1');
      expect([code, text]).toEqual([1, expect.stringContaining('THE MONEY IS NOT RIGHT')]);
      const kinds = report().money.differences.map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(['doubled', 'lost', 'madeUp']));
    } finally {
      server.close();
    }
  });

  it('a booking of somebody else, unless the cards are shared', async () => {
    const { baseUrl, bearer, cards } = credentialsIn(dir);
    const [card] = cards;
    const words = ['--cards', String(card?.cardToken), '--mix', 'purchase:1', '--duration', '1s'];
    const somebodyElse = { url: baseUrl, ...bearer };
    const purchase = { cardToken: card?.cardToken, tranAmount: '1.00', tranCurrency: '840' };
    const whileLoading = async (...more: readonly string[]): Promise<Ran> => {
      let isOver = false;
      const ran = load(...words, ...more).finally(() => {
        isOver = true;
      });
      while (!isOver) await call(somebodyElse, 'Purchase', purchase);
      return ran;
    };
    const strict = await whileLoading();
    expect([strict.code, strict.text]).toEqual([1, expect.stringContaining('no call of this run asked for it')]);
    const shared = await whileLoading('--shared-cards');
    expect([shared.code, shared.report().money.strangers > 0]).toEqual([0, true]);
  });
});

describe('npm run load cannot begin', () => {
  it.each([
    [['--rate', 'fast', '--mix', 'x:1'], /--rate must be(.|\n)*--mix has no x/],
    [['--target', 'http://127.0.0.1:1'], /cannot be loaded:\n {2}no answer: ECONNREFUSED \(nothing listens there/],
    [['--cards', 'nobody'], /nobody is declined with 04/],
    [['--ledger', 'http://127.0.0.1:1'], /--ledger: no answer from/],
    [['--cards', '4220-demo-frozen', '--mix', 'transferFund:1'], /two cards of one currency/],
    [['--credentials', '/nowhere/credentials.json'], /There is no \/nowhere\/credentials.json/],
  ])('%j: says why, with exit code 2', async (words, says) => {
    const { code, text } = await load(...words);
    expect([code, text]).toEqual([2, expect.stringMatching(says)]);
    expect(text).not.toMatch(/at .*\.ts:\d+/);
  });
});
