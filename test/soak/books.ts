/**
 * The comparison of what callers were told with what the issuer did. The issuer's books are the witness: what was told
 * `00` and not reversed has happened once, and nothing else has happened.
 */
import type { Effect } from '../support/issuerLedger.ts';
import type { IssuerRequest, ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { finalOf, finalsOf, type Step, wasOnlyRefused } from './load.ts';

/** What the comparison looks at of an issuer. */
export type Books = Pick<ScriptedIssuer, 'effects' | 'requests' | 'violations' | 'balanceOf' | 'heldOf'>;

/** A `tranId` that the gateway derived. */
const DERIVED = /^RV[A-Z2-7]{30}$/;
/** One fault of ours gives many sentences; the first ones tell. */
const SENTENCES_MOST = 20;

const sum = (effects: readonly Effect[], side: 'available' | 'held'): bigint =>
  effects.reduce((total, effect) => total + effect[side], 0n);

/** What is wrong, in sentences; none where all money is accounted for. `opening`: minor units by card. */
export function compareBooks(steps: readonly Step[], books: Books, opening: ReadonlyMap<string, bigint>): string[] {
  const wrong = [
    ...books.violations.map(what => `the issuer saw a breach of its contract: ${what}`),
    ...steps.flatMap(changedItsMind),
    ...madeUp(steps, books.requests),
    ...doneTwice(books.effects),
    ...mistold(steps, books),
    ...cardsOff(steps, books, opening),
  ];
  const more = wrong.length - SENTENCES_MOST;
  return more > 0 ? [...wrong.slice(0, SENTENCES_MOST), `and ${more} more of the kind`] : wrong;
}

/** I3. An inquiry is a new question each time, and a command whose answer is not kept is asked again. */
const changedItsMind = (step: Step): string[] => {
  const finals = finalsOf(step);
  if (finals.length < 2 || step.api === 'BalanceInquiry') return [];
  return [`${step.api} ${step.tranId} was told ${finals.join(' and then ')}`];
};

const madeUp = (steps: readonly Step[], requests: readonly IssuerRequest[]): string[] => {
  const known = new Set(steps.map(({ tranId }) => tranId));
  return requests.flatMap(({ api, tranId, originalTranId = '' }) => {
    const isOurs = known.has(tranId) || (DERIVED.test(tranId) && known.has(originalTranId));
    return isOurs ? [] : [`nobody asked for ${api} ${tranId}, which reached the issuer`];
  });
};

const doneTwice = (effects: readonly Effect[]): string[] => {
  const counts = new Map<string, number>();
  for (const { tranId } of effects) counts.set(tranId, (counts.get(tranId) ?? 0) + 1);
  return [...counts].flatMap(([tranId, count]) => (count > 1 ? [`${tranId} was done ${count} times`] : []));
};

/** The originals that a caller has reversed, as it was told. */
const reversedOf = (steps: readonly Step[]): Set<Step> =>
  new Set(
    steps.flatMap(step => (step.api === 'Reversal' && step.original && finalOf(step) === '00' ? [step.original] : [])),
  );

/** What the steps should have changed, by what was told. */
const counted = (steps: readonly Step[]): Step[] => {
  const reversed = reversedOf(steps);
  return steps.filter(step => finalOf(step) === '00' && !reversed.has(step));
};

/** Per chain of messages: the first of it, and those that name it. */
function mistold(steps: readonly Step[], { effects, requests }: Books): string[] {
  const counts = new Set(counted(steps));
  const chainOf = new Map(steps.map(step => [step.tranId, step.original?.tranId ?? step.tranId]));
  const done = Map.groupBy(
    effects,
    ({ tranId, originalTranId }) => chainOf.get(tranId) ?? chainOf.get(originalTranId ?? ''),
  );
  const seen = new Set(requests.map(({ tranId }) => tranId));
  return [...Map.groupBy(steps, ({ tranId }) => chainOf.get(tranId) ?? '')].flatMap(([chain, members]) => {
    const told = members.map(step => `${step.api} ${step.tranId}: ${finalOf(step) ?? 'nothing'}`).join(', ');
    const refused = members.filter(step => wasOnlyRefused(step) && seen.has(step.tranId));
    const should = members.filter(step => counts.has(step));
    const off = (['available', 'held'] as const).flatMap(side => {
      const has = sum(done.get(chain) ?? [], side);
      const shall = should.reduce((total, { change }) => total + change[side], 0n);
      return has === shall ? [] : [`${side} changed by ${has} at the issuer, and by ${shall} as told: ${told}`];
    });
    return [
      ...refused.map(({ api, tranId }) => `${api} ${tranId} was refused with 503 and reached the issuer all the same`),
      ...off,
    ];
  });
}

/** Per card, transfers to it included. */
function cardsOff(steps: readonly Step[], books: Books, opening: ReadonlyMap<string, bigint>): string[] {
  const expected = new Map([...opening].map(([card, available]) => [card, { available, held: 0n }]));
  const at = (card: string) => expected.get(card) ?? { available: 0n, held: 0n };
  for (const { card, change, target, amount } of counted(steps)) {
    const { available, held } = at(card);
    expected.set(card, { available: available + change.available, held: held + change.held });
    if (target !== undefined) expected.set(target, { ...at(target), available: at(target).available + amount });
  }
  return [...expected].flatMap(([card, { available, held }]) => {
    const [has, holds] = [minor(books.balanceOf(card)), minor(books.heldOf(card))];
    return has === available && holds === held
      ? []
      : [`${card} has ${has} and holds ${holds}; by what was told it has ${available} and holds ${held}`];
  });
}

const minor = (amount: string): bigint => BigInt(amount.replace('.', ''));
