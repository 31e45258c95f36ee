/**
 * Ways to break the gateway, or the world around it, at its ports: each must make the oracle name the invariant that it
 * breaks. An oracle that never says no proves nothing.
 */

import { apiByName } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import { born } from '../../src/domain/entry.ts';
import type { Message } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Served } from '../../src/http/journey.ts';
import type { IssuerConnector, SendOptions } from '../../src/issuer/issuer.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Bulkhead } from '../../src/runtime/bulkhead.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import type { Ledger, Transaction } from './ledger.ts';
import type { StoreObserver } from './line.ts';
import type { SimProcess } from './process.ts';
import type { RedisModel } from './redisModel.ts';

type Sender = (inner: IssuerConnector, process: SimProcess) => IssuerConnector['send'];
type Claimer = (journal: Journal, process: SimProcess) => Partial<Journal>;

/** What can be replaced. Absent: it is as it should be. */
export type Sabotage = {
  /** Redis, seen from one gateway. */
  readonly store?: (server: RedisModel, observer: StoreObserver) => Partial<Journal>;
  /** The journal of one gateway. */
  readonly journal?: Claimer;
  readonly send?: Sender;
  readonly served?: (served: Served, process: SimProcess) => Promise<Served>;
  readonly client?: (client: number) => number;
  readonly bulkhead?: (bulkhead: Bulkhead) => Bulkhead;
  readonly decided?: (ledger: Ledger, transaction: Transaction) => void;
  readonly remembersMs?: number;
  readonly delivers?: false;
};

const answered = (code: '00' | '05'): Outcome => ({
  kind: 'answered',
  status: 200,
  answer: { code, desc: 'so it is said', fields: new Secret({}) },
});

/** Another outcome than the one that came. */
const takes =
  (kind: Outcome['kind'], as: Outcome): Sender =>
  inner =>
  async (message, options) => {
    const outcome = await inner.send(message, options);
    return outcome.kind === kind ? as : outcome;
  };

const rowOf = (name: string) => {
  const row = apiByName(name);
  if (!row) throw new Error(`no API ${name}`);
  return row;
};

const withAmount = (message: Message, tranAmount: string): Message =>
  messageOf(rowOf(message.api), message.header, { ...message.fields.reveal(), tranAmount });

/** Lets a condition decide whether the message goes out changed. */
const changes =
  (when: (message: Message, options: SendOptions) => boolean): Sender =>
  inner =>
  (message, options) =>
    inner.send(message.amount && when(message, options) ? withAmount(message, '0.01') : message, options);

const isDerived = ({ header }: Message): boolean => header.tranId.startsWith('RV');

const undoesUnasked: Sender = inner => async (message, options) => {
  const outcome = await inner.send(message, options);
  if (message.api !== 'Purchase' || outcome.kind !== 'answered') return outcome;
  const header = { ...message.header, tranId: `RV${'A'.repeat(30)}` as typeof message.header.tranId };
  const undo = messageOf(rowOf('Reversal'), header, {
    ...message.fields.reveal(),
    originalTranId: message.header.tranId,
  });
  await inner.send(undo, options);
  return outcome;
};

const sendsLate: Sender =
  (inner, { clock }) =>
  async (message, options) => {
    // Longer than any budget, shorter than the lease of most.
    await clock.sleep(3200);
    return inner.send(message, { ...options, deadline: Deadline.in(clock, 1000) });
  };

const keepsUndos: Sender = inner => async (message, options) =>
  isDerived(message) ? answered('00') : inner.send(message, options);

const failsProbes: Sender = inner => async (message, options) =>
  message.fields.reveal().memo === 'probe' ? { kind: 'notSent', reason: 'connect' } : inner.send(message, options);

const dedupesNothing: Claimer = inner => ({
  claim: async (draft, writeId) => {
    const reply = await inner.claim(draft, writeId);
    if (reply.kind !== 'done' || reply.value.kind !== 'exists') return reply;
    return { ...reply, value: { ...reply.value, kind: 'fresh', claims: 1 } };
  },
});

const claimsWithoutStore =
  (when: 'always' | 'away'): Claimer =>
  (inner, { clock }) => ({
    claim: async (draft, writeId) => {
      const reply = when === 'always' ? { kind: 'away' as const } : await inner.claim(draft, writeId);
      if (reply.kind !== 'away') return reply;
      const now = Math.floor(clock.wallMs());
      return { kind: 'done', value: { kind: 'fresh', entry: born(draft, now), now, claims: 1 } };
    },
  });

const writesNoMoves: Claimer = () => ({ move: async () => ({ kind: 'done', value: { kind: 'moved' } }) });

const comparesNothing: Sabotage['store'] = (server, observer) => ({
  move: async (from, to, writeId) => {
    server.overwrite(to, writeId);
    observer.moved(from, to, { kind: 'moved' });
    return { kind: 'done', value: { kind: 'moved' } };
  },
});

const changesReplays = async (served: Served): Promise<Served> =>
  served.answer.replayed ? { ...served, answer: { ...served.answer, desc: 'another text' } } : served;

const answersLate: Sabotage['served'] = async (served, { clock }) => {
  await clock.sleep(5000);
  return served;
};

function loosensHold(_ledger: Ledger, done: Transaction): void {
  done.remaining += 1n;
}

/** What is broken, how, and the invariant that has to say so. */
export const SABOTAGE: readonly (readonly [invariant: string, what: string, how: Sabotage])[] = [
  ['I1', 'no deduplication', { journal: dedupesNothing }],
  ['I1', 'an issuer that forgets at once', { remembersMs: -1 }],
  ['I2', 'a doubt is taken for a yes', { send: takes('unknown', answered('00')) }],
  ['I3', 'a replay says something else', { served: changesReplays }],
  ['I4', 'a repeat has another content', { send: changes((_message, { repeat }) => repeat) }],
  ['I5', 'a doubt is taken for a no', { send: takes('unknown', answered('05')) }],
  ['I5', 'a doubt is taken for not sent', { send: takes('unknown', { kind: 'notSent', reason: 'connect' }) }],
  ['I5', 'undos are never sent', { send: keepsUndos }],
  ['I6', 'nothing is claimed', { journal: claimsWithoutStore('always') }],
  ['I6', 'outcomes are not written', { journal: writesNoMoves }],
  ['I7', 'a hold loses its amount', { decided: loosensHold }],
  ['I8', 'an approved Purchase is undone', { send: undoesUnasked }],
  ['I9', 'answers come late', { served: answersLate }],
  ['I10', 'room is not given back', { bulkhead: ({ limit }) => leaky(limit) }],
  ['I11', 'messages wait before they leave', { send: sendsLate }],
  ['I12', 'claimed without the store', { journal: claimsWithoutStore('away') }],
  ['I13', 'money appears', { decided: ledger => ledger.mint(1n) }],
  ['I16', 'all callers are one', { client: () => 0 }],
  ['I17', 'nobody delivers', { delivers: false }],
  ['I18', 'moves are not compared', { store: comparesNothing }],
  ['I19', 'good calls are refused for ever', { send: failsProbes }],
  ['I20', 'messages change their amount', { send: changes(message => !isDerived(message)) }],
];

function leaky(limit: number): Bulkhead {
  let inUse = 0;
  return {
    limit,
    get inUse() {
      return inUse;
    },
    tryEnter: () => {
      if (inUse >= limit) return undefined;
      inUse += 1;
      return () => {};
    },
  };
}
