/**
 * F64 as a matrix: a gateway is killed with SIGKILL at every point of the journey, with a transaction of every class
 * under way at once, on both journals. After a restart every doubt ends by itself, and the issuer's own books agree
 * with what the callers are told.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { approved, codeOf, learn, PATIENT, payment, Rig, untilNothingOwed } from '../journey/rig.ts';
import type { ApiName } from '../support/apiPaths.ts';
import { call, type Fields, newTranId } from '../support/client.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { type CrashPoint, dropPlan, PLAN_FILE, writePlan } from './plan.ts';

type Point = CrashPoint | 'sent' | 'replied';

/** One transaction under way when the gateway dies, and the card's books afterwards: what can be spent, what is held. */
type Case = {
  readonly name: string;
  readonly api: ApiName;
  readonly fields: Fields;
  readonly tranId: string;
  readonly card: string;
  /** The books where the caller is told 00. */
  readonly done: readonly [available: string, held: string];
  /** The books where the caller is told 68; absent where that may not be told: it is repeated until it is done. */
  readonly undone?: readonly [available: string, held: string];
  /** The entry that holds what is owed; null where nothing is. */
  readonly owedBy: string | null;
};

/** A lease is the budget and two seconds. Long enough that nothing runs out of time by accident. */
const CLIENT = { budgetMs: 3000, scopes: ['Transaction', 'Card'] };
const ISSUER = { timeoutMs: 2000, maxProcessingMs: 2000 };
const UNTOUCHED = ['1000.00', '0.00'] as const;

async function hold(gateway: Gateway, card: string): Promise<string> {
  const tranId = newTranId();
  const answer = await learn(gateway, 'BlockFund', payment(card), { tranId });
  expect(answer.body.responseCode).toBe('00');
  return tranId;
}

/** A transaction of every class, each on a card of its own, with the originals that some of them need. */
async function casesOn(gateway: Gateway): Promise<Case[]> {
  const [refunded, reversed] = [
    await approved(gateway, payment('refund')),
    await approved(gateway, payment('reversal')),
  ];
  const [released, completed] = [await hold(gateway, 'release'), await hold(gateway, 'completion')];
  const one = (name: string, api: ApiName, more: Omit<Case, 'name' | 'api' | 'tranId' | 'card' | 'owedBy'>): Case => {
    const tranId = newTranId();
    return { name, api, tranId, card: name, owedBy: tranId, ...more };
  };
  const undoable = { done: ['987.50', '0.00'], undone: UNTOUCHED } as const;
  return [
    one('debit', 'Purchase', { fields: payment('debit'), ...undoable }),
    one('cash', 'Withdraw', { fields: payment('cash'), ...undoable }),
    one('transfer', 'TransferFund', {
      fields: { ...payment('transfer'), toCardToken: 'target' },
      done: ['987.50', '0.00'],
    }),
    one('credit', 'LoadFund', { fields: payment('credit'), done: ['1012.50', '0.00'] }),
    one('refund', 'Refund', {
      fields: { ...payment('refund', '5.00'), originalTranId: refunded.tranId },
      done: ['992.50', '0.00'],
    }),
    one('hold', 'BlockFund', { fields: payment('hold'), done: ['987.50', '12.50'], undone: UNTOUCHED }),
    one('release', 'UnblockFund', { fields: { cardToken: 'release', originalTranId: released }, done: UNTOUCHED }),
    one('completion', 'Purchase', {
      fields: { ...payment('completion', '10.00'), originalTranId: completed },
      done: ['990.00', '0.00'],
    }),
    {
      ...one('reversal', 'Reversal', {
        fields: { ...payment('reversal'), originalTranId: reversed.tranId },
        done: UNTOUCHED,
      }),
      owedBy: reversed.tranId,
    },
    {
      ...one('command', 'CardStatusUpdate', { fields: { cardToken: 'command', cardOptFlag: 'B' }, done: UNTOUCHED }),
      owedBy: null,
    },
  ];
}

/** The first send of each hangs, with its effect done: a doubt. A Reversal is not sent itself, its undo is. */
function hangFirst(issuer: ScriptedIssuer, cases: readonly Case[]): void {
  for (const { api, tranId, owedBy } of cases) {
    if (api === 'Reversal') {
      const where = ({ originalTranId }: { readonly originalTranId: string | undefined }) => originalTranId === owedBy;
      issuer.script('Reversal', { kind: 'hangAfterEffect' }, { times: 1, where });
    } else issuer.script(api, { kind: 'hangAfterEffect' }, { times: 1, tranId });
  }
}

/** Calls all of them at once and has the gateway die at the point; what the callers heard before. */
async function die(gateway: Gateway, issuer: ScriptedIssuer, at: Point, cases: readonly Case[], planFile: string) {
  if (at === 'sent' || at === 'delivering') hangFirst(issuer, cases);
  if (at === 'acknowledged')
    hangFirst(
      issuer,
      cases.filter(({ api }) => api !== 'Reversal'),
    );
  if (at !== 'sent' && at !== 'replied') {
    const isDelivery = at === 'delivering' || at === 'acknowledged';
    const ids = cases.map(({ tranId, owedBy }) => (isDelivery ? owedBy : tranId));
    writePlan(planFile, { at, tranIds: ids.filter(id => id !== null) });
  }
  const told = cases.map(({ api, fields, tranId }) => codeOf(call(gateway, api, fields, { tranId })));
  if (at === 'replied') await Promise.all(told);
  if (at === 'sent') {
    const arrived = ({ api, tranId, owedBy }: Case) =>
      issuer.about((api === 'Reversal' && owedBy) || tranId).length > 0;
    await issuer.waitFor('all of them', () => cases.every(each => arrived(each)));
  }
  if (at === 'sent' || at === 'replied') await gateway.kill9();
  else await gateway.untilGone();
  dropPlan(planFile);
  return Promise.all(told);
}

const booksOf = (issuer: ScriptedIssuer, card: string) => [issuer.balanceOf(card), issuer.heldOf(card)];

/** What the caller is told in the end, which is what it was told before, where it was told something final. */
async function learned(gateway: Gateway, { name, api, fields, tranId, undone }: Case, before: string | undefined) {
  const answer = await learn(gateway, api, fields, { tranId });
  const code = String(answer.body.responseCode);
  expect(undone ? ['00', '68'] : ['00'], name).toContain(code);
  if (before !== undefined && before !== 'lost' && before !== '09') expect(code, name).toBe(before);
  return code;
}

/** What is told is what the issuer's books say, and nothing was sent that may not be. */
function judge(issuer: ScriptedIssuer, { name, api, tranId, card, done, undone }: Case, code: string): void {
  expect(booksOf(issuer, card), `${name}, told ${code}`).toEqual(code === '00' ? done : undone);
  expect(issuer.effectsOf(tranId).length, name).toBeLessThanOrEqual(1);
  const sends = issuer.requestsOf(api, tranId);
  // Once without the mark of a repeat, and a debit that can be undone never again.
  expect(sends.filter(({ repeat }) => !repeat).length, name).toBeLessThanOrEqual(1);
  if (undone) expect(sends.length, name).toBeLessThanOrEqual(1);
}

/** What is told in the end: all that was stored before the death, and of the rest what can be undone is undone. */
const toldAfter = (at: Point): string => (at === 'stored' || at === 'replied' ? '00' : '68');

const POINTS: readonly Point[] = ['begin', 'sent', 'answered', 'stored', 'replied', 'delivering', 'acknowledged'];
const JOURNALS = [
  ['SQLite', async () => newSqliteUrl()],
  ['Redis', async (rig: Rig) => (await rig.redis({ appendfsync: 'always' })).url],
] as const;

describe.concurrent('F64 I5 I17: killed with a transaction of every class under way', PATIENT, () => {
  it.for(JOURNALS.flatMap(([name, journal]) => POINTS.map(at => [at, name, journal] as const)))(
    'at `%s`, on %s',
    async ([at, , journal], test) => {
      const rig = new Rig(test);
      const issuer = await rig.issuer();
      const planFile = join(tempDir('crash'), 'plan.json');
      const gateway = await rig.gateway(issuer, {
        journalUrl: await journal(rig),
        client: CLIENT,
        issuer: ISSUER,
        program: 'test/crash/gateway.ts',
        env: { [PLAN_FILE]: planFile },
      });
      const cases = await casesOn(gateway);
      const told = await die(gateway, issuer, at, cases, planFile);
      await gateway.restart();
      const codes = await Promise.all(cases.map((each, index) => learned(gateway, each, told[index])));
      await untilNothingOwed(gateway);
      for (const [index, each] of cases.entries()) {
        const code = codes[index] ?? '';
        judge(issuer, each, code);
        if (each.undone) expect(code, each.name).toBe(toldAfter(at));
      }
      expect(await gateway.sigterm()).toBe(0);
    },
  );
});
