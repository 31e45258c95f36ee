/**
 * What a set of seeds must have met to say anything: every fault at least once, every row of the table of moves, every
 * outcome of a send. A fault that is never met is a fault that is not tested.
 */
import { MOVES } from '../../src/domain/entry.ts';
import { EVENTS, RATES } from './options.ts';

const OUTCOMES = [
  ...['answered', 'connect', 'refusedAtTheDoor', 'timeout', 'reset', 'httpStatus'],
  ...['garbage', 'wrongEcho', 'badField', 'partialApproval', 'openCode'],
];
/** `settle`, `takeOver`, `attempted` and the others, as what became of the entry. */
const moves = Object.values(MOVES).flatMap(rows =>
  Object.entries(rows).flatMap(([from, places]) => places.map(to => `move ${from} > ${to}`)),
);
const DELIVERIES = [
  ...['undo done', 'undo absent', 'undo open', 'undo refused', 'repeat done', 'repeat open', 'follow done'],
];
const PARKED = ['undo declined', 'undo exhausted', 'repeat repeatWindowOver'];
const TOLD = ['200 00', '200 00 again', '200 05', '200 09', '200 12', '200 25', '200 68', '200 68 again', '200 91'];
const REFUSED = ['400 94', '400 12', '400 13', '400 02', '503 91'];

/** Rows that take more luck than a thousand seeds have, and what it takes. */
export const RARE: Readonly<Record<string, string>> = {
  'move settled+parked > settled+due': 'two late owners of one undo, and an issuer that refuses it in between',
  'move settled+parked > settled+parked': 'a decline that comes late for what was undone, settled and then parked',
  'move doubt+parked > doubt+parked': 'a decline that comes late for an undo that was refused before',
  'move tombstone+delivered > tombstone+delivered': 'the store lost the claim, a Reversal came, and then the decline',
  'move tombstone+delivered > tombstone+due': 'the store lost the claim, a Reversal came, and then the approval',
  'move tombstone+parked > tombstone+parked': 'as before, with an undo that was refused',
  'move tombstone+parked > tombstone+due': 'as before, with an undo that was refused',
  'takeover refused after a switch':
    'a claim found left alone right before a switch of the store, and taken right after it',
  'move tombstone+due > tombstone+parked': 'an undo refused, of an original that has not come',
};

const ALL: readonly string[] = [
  ...Object.keys(RATES),
  ...Object.keys(EVENTS).map(name => `event ${name}`),
  ...OUTCOMES.map(name => `outcome ${name}`),
  ...moves,
  ...DELIVERIES.map(name => `delivery ${name}`),
  ...PARKED.map(name => `parked ${name}`),
  ...[...TOLD, ...REFUSED].map(name => `told ${name}`),
  ...['born claimed+armed', 'born tombstone+due', 'takeover', 'event longOutage', 'journal silent'],
  ...['late answer ended', 'late answer undoneAgain', 'late answer noted', 'an answer comes after nobody reads it'],
  ...[
    'detail noBudget',
    'detail breakerOpen',
    'breaker open',
    'breaker halfOpen',
    'breaker closed',
    'given up before it was connected',
  ],
  ...['issuer hangs after the effect', 'a move lost its race', 'a move was written twice'],
  ...['failOver loses writes', 'failOver loses nothing', 'flush loses writes', 'restore loses writes'],
  ...['amnesia lost', 'amnesia known', 'amnesia kept', 'lost data was written again'],
  ...['claim refused after a switch', 'takeover refused after a switch'],
  ...['a claim was refused after data was lost', 'lost writes broke nothing', 'a caller never learns the outcome'],
];

export const REQUIRED: readonly string[] = ALL.filter(what => !(what in RARE));
