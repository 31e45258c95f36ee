/**
 * The catalogue of faults (reliability-security, 3): what goes wrong, and the tests in which it does. The bad inputs of the
 * catalogue have a table of their own in `journey/securityRows.test.ts`. A test checks that every number is here, and that
 * every title still is in its file and speaks of the fault.
 */
import { FAULTS_INSIDE } from './faultsInside.ts';
import type { Tests } from './titles.ts';

/** What goes wrong, and the tests in which it does; or, where it cannot, why. */
export type Fault =
  | readonly [what: string, ...tests: readonly Tests[]]
  | { readonly what: string; readonly why: string };

const CLIENT: Readonly<Record<string, Fault>> = {
  F1: [
    'a client leaves after its body has arrived',
    ['http/connection', 'F1: a client that leaves while it is served stops nothing'],
    ['journey/replay', 'F1 a client that hung up finds the answer when it comes back'],
  ],
  F2: [
    'a client leaves in the middle of its body',
    ['http/connection', 'F2: a client that leaves %s has asked for nothing'],
  ],
  F3: [
    'a client closes its half right after the request',
    [
      'http/connection',
      'F3: a client that closes its half right after the request is served, whether or not it hears of it',
    ],
  ],
  F4: [
    'many copies at once',
    ['journey/replay', 'F4 I1 I3 fifty copies at once: one send, fifty times %s'],
    ['journey/cluster', 'F4 F8 I1 I3: 50 copies of one purchase at once are one forward and 50 equal answers'],
  ],
  F5: [
    'a retry after the end',
    ['journey/replay', 'F5 I3 %s: the first answer, with the header fields of the retry'],
    ['journey/oauth', 'S86 F5: the very same bytes again are the same answer, sealed afresh, and nothing more'],
  ],
  F6: [
    'one tranId with two contents',
    [
      'journey/replay',
      'F6 I4 other %s: 400 94 that names the fields and no values',
      'F6 I4 the same fields as a %s: 400 94',
    ],
  ],
  F7: [
    'a retry after the entry is forgotten',
    ['edge/parse', 'F7 can never take a tranId again that was taken once and forgotten since'],
    ['journal/sqlite', 'F7 is not found before it is removed'],
  ],
  F8: [
    'a retry at another gateway',
    ['journey/cluster', 'F5 F8: a retry at every other gateway replays the answer, and other content is 400 with 94'],
  ],
  F9: [
    'one tranId of two clients',
    ['journey/replay', 'F9 I16 from another client: 400 94 without a word, whether it is the same message or not'],
    ['contract/journalWrites', 'F9 tells participants apart that use the same tranId'],
  ],
  F10: [
    'everybody comes back at once after an outage',
    [
      'journey/overload',
      'F10 I3 I10: a crowd is answered or refused, each of them; what is refused was never claimed; an undo gets in',
      'F10 I10 I19: an issuer that hangs, and one that fails, cost a third one nothing',
      'F10 F31 I10: an outage ends with one probe and one undo at a time, then with few calls at a time',
    ],
    ['runtime/admission', 'F10 I11: who has waited for too long, a few in each turn, and the others are begun beside'],
    ['journey/breaker', 'F10 I10: past maxInFlight a call is 503 with nothing claimed, and its tranId works later'],
    ['http/public', 'F10: refuses what is past the cap with 503 before anything else, and serves again afterwards'],
  ],
  F11: [
    'a client never reads its answer',
    ['http/connection', 'F11: a client that never reads its answer is dropped when nothing moves any more'],
  ],
  F12: [
    'pipelined requests',
    ['http/connection', 'F12: pipelined requests are answered each, in order, though the first is the slowest'],
  ],
};

const ISSUER: Readonly<Record<string, Fault>> = {
  F13: [
    'no connection: refused, no address, TLS',
    ['issuer/connecting', 'F13: no connection, and so certainly nothing sent'],
    ['journey/doubts', 'F13 91 at once, nothing owed, nothing sent once it is back, also after a restart'],
  ],
  F14: ['connecting hangs', ['issuer/connecting', 'F14 I9 I11: connecting that hangs']],
  F15: [
    'a connection that is reset at once',
    ['issuer/connecting', 'F15: accepted, then reset'],
    ['issuer/exchange', 'F15: %s is notSent before the request was started, and unknown after'],
  ],
  F16: ['slow, but in time', ['issuer/httpIssuer', 'F16: a slow answer within the budget is an answer']],
  F17: ['read, then nothing', ['journey/doubts', 'F17 hangs after the effect']],
  F18: ['done, then reset', ['journey/doubts', 'F18 resets after the effect']],
  F19: ['half an answer, or one that drips', ['journey/doubts', 'F19 half a body', 'F19 a dripping body']],
  F20: [
    'statuses that say nothing definite',
    ['journey/doubts', 'F20 500', 'F20 503', 'F20 429', 'F20 408', 'F20 401', 'F20 202 with an approval in it'],
    ['issuer/httpIssuer', 'F20 F27: the status'],
  ],
  F21: [
    'garbage for an answer',
    ['journey/doubts', 'F21 HTML', 'F21 an empty body', 'F21 JSON that is no object', 'F21 a key twice'],
    ['catalogue/replies', 'F21 never throws, whatever an issuer sends'],
  ],
  F22: [
    'an answer of the wrong form, or with an unknown code',
    ['journey/doubts', 'F22 an unknown code', 'F22 no code', 'F22 a field of the wrong form'],
  ],
  F23: [
    'an approval of something else',
    ['issuer/reply', 'F23 I20: the echo'],
    ['journey/doubts', "F23 I20 another transaction's tranId", 'F23 I20 another amount', 'F23 an approval for more'],
  ],
  F24: [
    'too much of an answer',
    ['journey/doubts', 'F24 a huge body'],
    ['issuer/badReplies', 'F21 F22 F24: bodies that are no answer'],
  ],
  F25: [
    'an answer after the deadline',
    ['journey/lateAnswers', 'F25 an answer after the deadline, on %s'],
    ['domain/duty', 'F25 I3 never changes what was told, and told again changes nothing'],
    ['issuer/afterSending', 'F25: a late answer reaches nobody, least of all the next request'],
  ],
  F26: [
    'an answer too many',
    ['issuer/badReplies', 'F26: an extra response that waits for the next request is recognised as not its answer'],
  ],
  F27: [
    'a redirect',
    ['issuer/httpIssuer', 'F27: %d contacts nobody else, and raises an alarm'],
    ['journey/doubts', 'F27 a redirect'],
  ],
  F28: ['a kept connection is closed as we send', ['issuer/afterSending', 'F28 F33: connections that are kept']],
  F29: [
    'a decline',
    ['journey/replay', 'F29 I3 a decline stays one, although there is money now; another tranId is another try'],
  ],
  F30: ['many declines', ['journey/breaker', 'F30: 1,000 business declines leave it closed']],
  F31: [
    'a breaker that opens and closes',
    ['journey/breaker', 'F31 I19: undos go out while it refuses debits'],
    ['issuer/breaker', 'F31: closed again, it starts with an empty window: neither old failures nor refusals count'],
  ],
  F32: ['an answer that cannot be opened', ['issuer/encrypted', 'F32 I20: what cannot be opened says nothing']],
  F33: [
    'an issuer fails over',
    ['issuer/afterSending', 'F33: after all of them broke nothing is sent twice, and sends succeed again'],
  ],
  F34: [
    'an undo of what the issuer does not know yet',
    ['journey/notFound', 'F34 I8 $api, issuer $title: each "25" takes a new tranId, a late one ends it'],
    [
      'domain/entry',
      'F34 "original not found" ends an undo only when given again, later than anything could still arrive',
    ],
  ],
};

const UNDO: Readonly<Record<string, Fault>> = {
  F35: [
    'a Reversal before its original',
    ['journey/originals', 'F35 I8 is 00; the late %s is refused unsent, every time'],
  ],
  F36: [
    'a Reversal twice, or many at once',
    ['journey/undo', 'F36 I8 fifty Reversals at once, each with its own tranId, have one effect and one answer'],
    ['journey/cluster', 'F36 F37 I8: 50 Reversals of one purchase at once, each with its own id, are one undo'],
  ],
  F37: [
    'a Reversal while its original is in flight',
    [
      'journey/undo',
      'F37 I5 %s: 00, and the buyer is not told approved',
      'F37 I8 %s in doubt then: undone, and never repeated',
    ],
  ],
  F38: [
    'a Reversal of another amount or card',
    ['journey/undo', 'F38 less', 'F38 more', 'F38 another currency', 'F38 another card'],
  ],
  F39: [
    'a Reversal of what was declined',
    ['journey/undo', 'F39 of a declined original, and of one that was never sent: 00, and nothing is sent'],
  ],
  F40: [
    'a Reversal of what has none',
    ['journey/undo', 'F40 of a Reversal, or of an API that has none: 400 12, and nothing is sent'],
  ],
  F41: [
    'two releases that race',
    [
      'journey/originals',
      'F41 F43 I7 two releases of 6.00, then a completion and a release, of one hold of 10.00 at once',
    ],
    ['sandbox/holds', 'frees no more than is held when releases race that are each fine alone (F41, I7)'],
  ],
  F42: [
    'a release of no hold, or of another client’s',
    ['journey/originals', "F42 I16 $api of another client's $of: 25 for good, unsent, approved or open"],
    ['sandbox/holds', 'declines what is no hold, not there, of another card, in another currency or completed (F42)'],
  ],
  F43: [
    'a completion and a release at once',
    ['sandbox/holds', 'lets exactly one of completion and release win (F43)'],
  ],
  F44: [
    'a Refund beyond the purchase, or of one that is undone',
    [
      'journey/originals',
      'F44 I13 Refund of a Purchase that is reversed: 12, also while its undo is not acknowledged yet',
    ],
    ['sandbox/operations', 'gives back no more, over all refunds, than was approved, however they race (F44)'],
  ],
  F45: [
    'an undo that is refused for good stands first',
    ['journey/undo', "F45 F46 I17 is parked with an alarm when the issuer declines it, kept, and in nobody's way"],
  ],
  F46: [
    'the tries of an undo run out',
    [
      'journey/metrics',
      'F45 F46 I17 I19: an undo that is refused is parked, alarmed and never sent again; others pass it by',
    ],
    ['domain/duty', 'F46 I17 a %s that was tried for too long is parked, and kept'],
    ['delivery/leases', 'F46 F62 I17 what was parked is told to the operator, though the reply to that write was lost'],
  ],
};

export const FAULTS: Readonly<Record<string, Fault>> = {
  ...CLIENT,
  ...ISSUER,
  ...UNDO,
  ...FAULTS_INSIDE,
};
