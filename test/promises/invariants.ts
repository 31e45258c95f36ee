/**
 * The tests in which each invariant (reliability-security, 2.3) is asserted by name: few of many, those to read first. What
 * the simulation asserts is in `simulation/invariants.ts`, what each of them rests on in `docs/promises.md`.
 */
import type { Tests } from './titles.ts';

export const INVARIANT_TESTS: Readonly<Record<string, readonly [Tests, ...Tests[]]>> = {
  I1: [
    ['journey/replay', 'F4 I1 I3 fifty copies at once: one send, fifty times %s'],
    ['journey/repeats', 'I1 I5 F20 $api, $title on the way: 09, repeated until answered, done once'],
    ['journey/cluster', 'F4 F8 I1 I3: 50 copies of one purchase at once are one forward and 50 equal answers'],
    ['redis/lost', 'I1 I2 I3 I5 I8 I9 I12 I13 I17 I18 acknowledged writes are lost: %s'],
  ],
  I2: [
    ['domain/entry', 'I2 00 is heard only where the issuer answered 00'],
    ['authorize', 'F62 F37 I2 I3: a marked purchase that was undone meanwhile is not told approved'],
  ],
  I3: [
    ['journey/replay', 'F5 I3 %s: the first answer, with the header fields of the retry'],
    ['journey/crash', 'F64 I3: killed with the answer stored and not told, the retry hears it and nothing is undone'],
    ['domain/entry', 'I3 nobody ever hears two different final answers, unless it was asked for again'],
  ],
  I4: [
    [
      'journey/replay',
      'F6 I4 other %s: 400 94 that names the fields and no values',
      'F6 I4 the same fields as a %s: 400 94',
    ],
  ],
  I5: [
    ['journey/doubts', 'I5 I9 $api: $title: 68 in time, undone under one tranId until acknowledged'],
    ['journey/lateAnswers', 'I3 I5 %s approved: 68 stays, and it is undone once more'],
    ['journey/crash', 'F64 I5: another one reverses its purchase; a retry meanwhile hears 09, later 68'],
    ['domain/entry', 'I5 whoever hears 68 is owed an undo, or has had it'],
  ],
  I6: [
    [
      'journey/crash',
      'F64 I6 I12: killed after the claim and before the send, nothing is sent, and the retry hears 68',
    ],
    [
      'journey/redisAway',
      'F48 I5 I6: it cannot be stored within the budget: 09, and journal and issuer agree in the end',
    ],
    ['journal/sqlite', 'I6 is set to be on the disk when a call returns'],
  ],
  I7: [
    [
      'journey/originals',
      'F41 F43 I7 two releases of 6.00, then a completion and a release, of one hold of 10.00 at once',
    ],
    ['sandbox/ledger', 'a hold gives at most what was blocked, however releases and completions are cut (I7)'],
  ],
  I8: [
    ['journey/undo', 'F36 I8 fifty Reversals at once, each with its own tranId, have one effect and one answer'],
    ['journey/originals', 'F35 I8 is 00; the late %s is refused unsent, every time'],
    ['journey/notFound', 'F34 I8 $api, issuer $title: each "25" takes a new tranId, a late one ends it'],
  ],
  I9: [
    ['journey/doubts', 'I5 I9 $api: $title: 68 in time, undone under one tranId until acknowledged'],
    [
      'journey/redisAway',
      'F49 I9 I12: frozen: 503 or 09 within the budget, never a forward without a claim; back: works',
    ],
    ['issuer/breaker', 'I9: a connector that never answers ends as unknown a second after its deadline'],
  ],
  I10: [
    [
      'journey/overload',
      'F10 I3 I10: a crowd is answered or refused, each of them; what is refused was never claimed; an undo gets in',
      'F10 I10 I19: an issuer that hangs, and one that fails, cost a third one nothing',
    ],
    [
      'runtime/admission',
      'I10: begins so many at once, the rest in the turns that follow, in order',
      'I10 I11: whatever comes, each is heard of once, no turn does more than its share, and nobody is forgotten',
    ],
    ['journey/breaker', 'F10 I10: past maxInFlight a call is 503 with nothing claimed, and its tranId works later'],
    ['runtime/bulkhead', 'I10: takes as many as its limit, and the next when one has left'],
    ['journey/metrics', 'F88 I10: the number of series does not grow with ids, cards, paths, tokens and amounts'],
  ],
  I11: [
    ['issuer/connecting', 'I11: a deadline that has passed opens no connection'],
    ['journey/crash', 'F68 I11 I18: between claim and send: nothing is sent late, and the buyer is not told approved'],
  ],
  I12: [
    [
      'journey/redisAway',
      'F47 F54 I12: killed: 503 and nothing forwarded, inquiries too; back: works without a restart',
    ],
    ['journey/amnesia', 'F76 I12: Redis was flushed'],
    ['redis/oneServer', 'I6 I12: Redis takes no claims, and nothing is forwarded'],
  ],
  I13: [
    ['journey/cluster', 'F10 I1 I13: 150 different purchases of one card at once add up'],
    ['journey/undo', 'I8 I13 of a %s gives 00 and undoes it once; a retry of either replays'],
    ['sandbox/server', 'shows books that add up to zero in every currency (I13)'],
  ],
  I14: [
    ['journey/secrecy', 'I14: canaries in a gateway with its journal in %s'],
    ['journey/sadFields', 'I14 sad fields of all APIs, with the journal in %s'],
  ],
  I15: [
    ['http/authentication', 'I15: nothing of the body is read before the caller is known'],
    ['edge/jwe', 'I15, S80: works with a private key once for what may be ours, and never for what cannot be'],
    ['fuzz/publicPort', 'I15: answers each request once or not at all, as documented, and lets nothing bad through'],
  ],
  I16: [
    ['journey/replay', 'F9 I16 from another client: 400 94 without a word, whether it is the same message or not'],
    ['journey/undo', "F9 I16 of another client's original: 25 whatever has become of that, and nothing is sent"],
    ['journal/vault', 'I16 fails for another entry, another participant and another kind'],
  ],
  I17: [
    ['crash/matrix', 'F64 I5 I17: killed with a transaction of every class under way'],
    ['journey/undo', "F45 F46 I17 is parked with an alarm when the issuer declines it, kept, and in nobody's way"],
    ['journal/sqlite', 'F64 I17 after kill -9 is free at once and holds everything that was told to be done'],
  ],
  I18: [
    ['domain/entry', 'I18 every event on every entry stays in a row of its own'],
    ['contract/journalWrites', 'I18 is lost where somebody else was first, and shows what is there'],
    [
      'journey/crash',
      'F68 F34 I5 I18: after the bytes left, the issuer acting after the undo was over: it is undone again',
    ],
  ],
  I19: [
    [
      'journey/breaker',
      'F31 I19: undos go out while it refuses debits',
      'F31 I19: undos alone close it again, and failing ones never open it',
    ],
    ['issuer/outage', 'I19: an outage by %s opens it, reversals go out all the same, and it closes after healing'],
  ],
  I20: [
    ['issuer/reply', 'F23 I20: the echo'],
    ['journey/doubts', "F23 I20 another transaction's tranId", 'F23 I20 another amount', 'F23 I20 another currency'],
  ],
};
