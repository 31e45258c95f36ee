/**
 * The journey on a real SQLite journal that loses replies on request: what was written and what the caller is told must
 * agree, whoever else moved the entry in between.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { createJourney, type Site } from '../src/authorize.ts';
import { rowOf } from '../src/catalogue/apis.ts';
import type { ClientConfig } from '../src/config/config.ts';
import { Deliveries } from '../src/delivery/deliveries.ts';
import type { ApiName, ClientId, IssuerId, ParticipantId, TranId } from '../src/domain/ids.ts';
import type { Outcome } from '../src/domain/outcome.ts';
import { Secret } from '../src/domain/secret.ts';
import type { IssuerLine } from '../src/issuer/issuer.ts';
import type { Journal } from '../src/journal/journal.ts';
import { createSqliteJournal } from '../src/journal/sqlite.ts';
import { Steps } from '../src/journal/steps.ts';
import { createVault } from '../src/journal/vault.ts';
import { createBulkhead } from '../src/runtime/bulkhead.ts';
import { systemClock as clock } from '../src/runtime/clock.ts';
import { systemRandom as random } from '../src/runtime/random.ts';
import { waitFor } from './support/waitFor.ts';

const PARTICIPANT = '100000' as ParticipantId;
const HOUR_MS = 3_600_000;
const MONEY = { tranAmount: '5.00', tranCurrency: '840' };
const APPROVED: Outcome = {
  kind: 'answered',
  status: 200,
  answer: { code: '00', desc: 'approved', fields: new Secret({}) },
};

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const clientOf = (budgetMs: number): ClientConfig => ({
  id: 'wallet' as ClientId,
  participants: new Set([PARTICIPANT]),
  product: 'prepaid',
  scopes: new Set(),
  access: { kind: 'bearer', tokenSha256: [] },
  payload: 'plain',
  allowFrom: undefined,
  budgetMs,
  timestampToleranceSeconds: 0,
  ratePerSecond: 0,
});

/** An issuer that approves each Purchase when it is told to, and everything else at once, or as `first` says. */
function approvingIssuer(first: readonly Outcome[] = []) {
  const sent: string[] = [];
  const outcomes = [...first];
  const decision = Promise.withResolvers<void>();
  const line: IssuerLine = {
    id: 'bank' as IssuerId,
    issuer: {
      state: 'closed',
      send: async message => {
        sent.push(message.api);
        if (message.api === 'Purchase') await decision.promise;
        return outcomes.shift() ?? APPROVED;
      },
      deliver: async message => {
        sent.push(message.api);
        return APPROVED;
      },
      close: async () => undefined,
    },
    inFlight: createBulkhead(10),
    deliveries: createBulkhead(10),
    timeoutMs: () => 4000,
    maxProcessingMs: 60_000,
    remembersMs: HOUR_MS,
  };
  return { line, sent, decide: decision.resolve };
}

/** A gateway in this process on a journal that is tampered with. */
async function stage(
  wrap: (journal: Journal) => Journal,
  { budgetMs = 5000, first }: { readonly budgetMs?: number; readonly first?: readonly Outcome[] } = {},
) {
  const inner = await createSqliteJournal({
    path: ':memory:',
    retentionMs: HOUR_MS,
    clock,
    onNotice: () => undefined,
  });
  const journal = wrap(inner);
  const { line, sent, decide } = approvingIssuer(first);
  const issuers = { get: () => line, all: () => [line] };
  const steps = new Steps(journal, clock, random);
  const vault = createVault([new Secret(new Uint8Array(32))]);
  const observer = {
    attempted: () => undefined,
    takenOver: () => undefined,
    late: () => undefined,
    parked: () => undefined,
    failed: (error: unknown) => expect.fail(String(error)),
  };
  const deliveries = new Deliveries({ journal, steps, vault, issuers, clock, random, observer });
  deliveries.start();
  cleanUps.push(async () => {
    await deliveries.stop();
    await inner.close();
  });
  const routes = [{ participant: PARTICIPANT, cardPrefix: '', issuer: line.id }];
  const site: Site = {
    authenticate: async () => ({ client: clientOf(budgetMs), apis: new Set() }),
    permit: () => undefined,
    open: async (_, body) => body,
    sealFor: () => undefined,
    routes,
    retentionHours: 168,
  };
  const onDefect = (error: unknown) => expect.fail(String(error));
  const standby = () => undefined;
  const shared = { issuers, journal, steps, vault, deliveries, clock };
  const journey = createJourney({ ...shared, site: () => site, standby, onDefect });
  const day = new Date(clock.wallMs()).toISOString().slice(0, 10).replaceAll('-', '');
  const call = async (api: string, fields: Readonly<Record<string, string>>) => {
    const header = { participantId: PARTICIPANT, tranBranch: '1', tranChnl: '08', tranDate: day, tranTime: '101010' };
    const body = { ...header, cardToken: 'card-1', ...fields };
    const { answer } = await journey({
      row: rowOf(api as ApiName),
      requestId: 'request',
      peer: '127.0.0.1',
      forwardedFor: [],
      authorization: undefined,
      timestamp: String(Math.floor(clock.wallMs())),
      idempotencyKey: undefined,
      readBody: async () => Buffer.from(JSON.stringify(body)),
      arrivedMonotonicMs: clock.monotonicMs(),
    });
    return answer;
  };
  const entryOf = async (tranId: string) => {
    const reply = await inner.read({ participantId: PARTICIPANT, tranId: tranId as TranId });
    return reply.kind === 'done' ? reply.value.entry : null;
  };
  return { call, entryOf, sent, decide };
}

describe('the journey when the reply of its settle is lost', () => {
  it('F62 F37 I2 I3: a marked purchase that was undone meanwhile is not told approved', async () => {
    const undone = Promise.withResolvers<void>();
    let lost = 0;
    const world = await stage(inner => ({
      ...bound(inner),
      move: async (from, to, writeId) => {
        const reply = await inner.move(from, to, writeId);
        const settles = from.standing.at === 'claimed' && to.standing.at === 'doubt';
        if (!settles || lost > 0) return reply;
        lost += 1;
        // Written, and worked on by whoever polls, before this process hears of it.
        await undone.promise;
        return { kind: 'unsure' };
      },
    }));
    const purchase = world.call('Purchase', { ...MONEY, tranId: 'O1' });
    await waitFor('the purchase at the issuer', () => world.sent.includes('Purchase'));
    expect((await world.call('Reversal', { ...MONEY, tranId: 'R1', originalTranId: 'O1' })).code).toBe('00');
    world.decide();
    await waitFor('the undo', async () => (await world.entryOf('O1'))?.duty.is === 'delivered');
    undone.resolve();
    const told = await purchase;
    expect(told.code).toBe('68');
    const entry = await world.entryOf('O1');
    expect(entry?.standing).toMatchObject({ at: 'settled', answer: { code: '68' } });
    expect(world.sent).toEqual(['Purchase', 'Reversal']);
    expect(await world.call('Purchase', { ...MONEY, tranId: 'O1' })).toMatchObject({ code: '68', replayed: true });
  });
});

describe('a command in doubt when the reply to its retry is lost', () => {
  const COMMAND = { tranId: 'C1', reasonCode: '001' };
  const IN_DOUBT = [{ kind: 'unknown', reason: 'timeout' }] as const;
  const call = (world: Awaited<ReturnType<typeof stage>>) => world.call('CardCancellation', COMMAND);

  it.each(['before', 'after'] as const)(
    'F62 I1: for good, %s it was written: nothing is sent, and 09 is told',
    async lost => {
      let isLosing = false;
      const world = await stage(
        inner => ({
          ...bound(inner),
          move: async (from, to, writeId) => {
            if (!isLosing || to.standing.at !== 'claimed') return inner.move(from, to, writeId);
            if (lost === 'after') await inner.move(from, to, writeId);
            return { kind: 'unsure' };
          },
        }),
        { budgetMs: 600, first: IN_DOUBT },
      );
      expect((await call(world)).code).toBe('09');
      isLosing = true;
      expect(await call(world)).toMatchObject({ code: '09', replayed: false });
      expect(world.sent).toEqual(['CardCancellation']);
      // Where it was written its lease has to end first.
      isLosing = false;
      await waitFor('the answer', async () => (await call(world)).code === '00');
      expect(world.sent).toEqual(['CardCancellation', 'CardCancellation']);
    },
  );

  it('F62 I1: once, it is asked for again under the same write id, and the command is sent once', async () => {
    let losses = 0;
    const world = await stage(
      inner => ({
        ...bound(inner),
        move: async (from, to, writeId) => {
          const reply = await inner.move(from, to, writeId);
          if (to.standing.at !== 'claimed' || losses > 0) return reply;
          losses += 1;
          return { kind: 'unsure' };
        },
      }),
      { first: IN_DOUBT },
    );
    expect((await call(world)).code).toBe('09');
    expect(await call(world)).toMatchObject({ code: '00', replayed: false });
    expect([losses, world.sent.length]).toEqual([1, 2]);
  });
});

/** The journal's methods, to be spread and replaced one by one. */
const bound = (journal: Journal): Journal => ({
  claim: (draft, writeId) => journal.claim(draft, writeId),
  read: key => journal.read(key),
  move: (from, to, writeId) => journal.move(from, to, writeId),
  restore: entry => journal.restore(entry),
  amnesia: () => journal.amnesia(),
  due: lanes => journal.due(lanes),
  owed: () => journal.owed(),
  needs: () => journal.needs(),
  once: (name, span) => journal.once(name, span),
  revoke: (kind, id, untilMs) => journal.revoke(kind, id, untilMs),
  revoked: () => journal.revoked(),
  setStandby: (location, ifUnsaid) => journal.setStandby(location, ifUnsaid),
  standby: () => journal.standby(),
  isUp: () => journal.isUp(),
  close: () => journal.close(),
});
