/**
 * The second half of the catalogue of faults: those of the store, of the gateway's own process, of its keys, and of too
 * much at once.
 */
import type { Fault } from './faults.ts';

const STORE: Readonly<Record<string, Fault>> = {
  F47: [
    'Redis is down before the claim',
    [
      'journey/redisAway',
      'F47 F54 I12: killed: 503 and nothing forwarded, inquiries too; back: works without a restart',
    ],
  ],
  F48: [
    'Redis is down before the settle',
    [
      'journey/redisAway',
      'F48 I5 I6: it cannot be stored within the budget: 09, and journal and issuer agree in the end',
    ],
  ],
  F49: [
    'Redis is slow, or a black hole',
    [
      'journey/redisAway',
      'F49 I9 I12: frozen: 503 or 09 within the budget, never a forward without a claim; back: works',
      'F49 F62 I1 I18: a black hole takes the settle, and gives it back later: one outcome stands',
    ],
  ],
  F50: [
    'a fail-over loses an acknowledged claim',
    ['redis/lost', 'F50 F51: sentinels promote a replica that had fallen behind'],
    ['journal/redisFaults', 'F50 too few replicas is away, with nothing written'],
  ],
  F51: [
    'a fail-over loses an outcome',
    [
      'contract/journalRestore',
      'F51 writes a doubt that is gone at its version: it is due, counted, and can be moved on',
    ],
    ['journal/redisAmnesia', 'F51 what this process knows'],
  ],
  F52: [
    'Redis becomes a replica',
    ['journey/redisAway', 'F52 I12: demoted to a replica: 503 and nothing forwarded; promoted again: works'],
  ],
  F53: [
    'Redis is full, or throws entries away',
    [
      'journey/redisAway',
      'F53 I6: full: new calls are refused, and a call that was begun still ends as it should',
      'F53: %s deletes entries: the gateway does not start, and says why',
    ],
  ],
  F54: [
    'Redis forgets its scripts',
    ['journey/redisAway', 'F54: SCRIPT FLUSH between two calls, and while one is at the issuer, changes nothing'],
  ],
  F55: ['another script keeps Redis busy', ['redis/oneServer', 'F55: BUSY with an endless script']],
  F56: [
    'a script fails half-way',
    [
      'journal/redisScripts',
      'F56 a claim on keys of another kind writes nothing',
      'F56 a move on keys of another kind writes nothing, and tells nothing but the kind of error',
    ],
  ],
  F57: [
    'the end of what Redis wrote is cut off',
    ['redis/lost', 'F57 F51: the end of the append-only file is cut off'],
  ],
  F58: [
    'numbers that Lua would round',
    ['journal/redisScripts', 'F58 go through Redis as decimal text: what no double holds comes back exactly'],
    ['contract/journalWork', 'F58 sums money exactly, past 2^53, by currency, and back to nothing'],
  ],
  F59: [
    'a lease shorter than the work',
    ['domain/entry', 'F59 F68 a claim is taken over when its lease is over, and not a millisecond before'],
  ],
  F60: [
    'expiry at the wrong time',
    ['domain/entry', 'F60 an entry expires only when it is neither claimed nor owed'],
    [
      'contract/journalWork',
      'F60 keeps what is claimed, owed or parked, and forgets what is settled after the retention',
    ],
  ],
  F61: [
    'the shards of a Cluster move',
    ['redis/reshaped', 'F61: the slots of a primary move to another'],
    ['journal/redisFailover', 'F61 loses and doubles nothing while a slot moves'],
  ],
  F62: [
    'a reply of Redis is lost',
    [
      'journey/redisAway',
      'F62 I1: the reply to the claim is lost: tried again under the same owner, and forwarded once',
    ],
    ['journal/redisFaults', 'F62 nothing is sent a second time behind our back'],
  ],
  F63: [
    'two primaries',
    ['redis/reshaped', 'F52 F63: the primary sleeps, is replaced, and wakes up as one primary too many'],
  ],
};

const PROCESS: Readonly<Record<string, Fault>> = {
  F64: [
    'killed at any step',
    ['crash/matrix', 'F64 I5 I17: killed with a transaction of every class under way'],
    ['journey/crash', 'F64 I6: killed with the answer in hand and not stored, the purchase is reversed'],
  ],
  F65: [
    'SIGTERM',
    [
      'journey/lifecycle',
      'F65 I9: not ready any more, all in flight answered, exit code 0 within the budget and a second',
    ],
    ['http/ending', 'F65: closing, what is in flight is answered, what comes is refused, and every connection ends'],
  ],
  F66: [
    'an error that nobody caught',
    [
      'journey/defect',
      'F66 I14 I17: %s ends it, is told without its text, and the purchase under way is reversed after',
    ],
  ],
  F67: [
    'the process stands still',
    ['issuer/connecting', 'F67 I11: a process that stands still past the deadline sends nothing afterwards'],
  ],
  F68: [
    'frozen, then let go',
    [
      'journey/crash',
      'F68 I11 I18: between claim and send: nothing is sent late, and the buyer is not told approved',
      'F68 F34 I5 I18: after the bytes left, the issuer acting after the undo was over: it is undone again',
    ],
    [
      'delivery/leases',
      'F68 I5 a repeat that ends after its lease, and after the undo that replaced it, is undone once more',
    ],
  ],
  F69: [
    'clocks that differ or jump',
    ['journal/sqlite', 'F69 does not follow a wall clock that is set back or forth'],
    [
      'edge/timestamp',
      'S105 F69 takes seconds and milliseconds within the tolerance, and nothing beyond it on either side',
    ],
  ],
  F70: [
    'memory that grows',
    ['edge/tokenVerifier', 'F70: keeps as many as it may, and those that are in use'],
    ['journal/sqlite', 'F70 is removed as new entries come, and nothing else'],
  ],
  F71: [
    'no file descriptors left',
    [
      'journey/descriptors',
      'F71 I19: without descriptors what was begun ends well, and with them again it works as before',
    ],
    ['runtime/descriptors', 'F71: reads the soft limit, and none where there is none'],
    ['http/connection', 'F71: connections past the limit are not taken'],
  ],
  F72: [
    'a full disk',
    ['journal/sqlite', 'F72 full is away, with nothing written, told once; and what fits still goes on'],
    ['runtime/log', 'F72: a full disk stops nothing, not even the end'],
  ],
  F73: [
    'two versions at once',
    ['journal/record', 'F73 are read as they were first written: the format does not change unnoticed'],
    [
      'journal/redisScripts',
      'F73 an entry of a newer version is not read, and does not keep the others from being found',
    ],
  ],
  F74: [
    'two that deliver',
    ['journey/crash', 'F64 F74 I8: an undo that was under way is sent again by another one, as the same message'],
  ],
  F75: [
    'breakers that differ from process to process',
    ['journey/breakers', 'F75 I10: what opened at one gateway costs nothing at the other, and closes by itself'],
  ],
  F76: [
    'a store put back to an earlier time',
    ['redis/lost', 'F76: flushed'],
    ['journal/redisAmnesia', 'F76 a claim notices what is lost, and writes nothing'],
  ],
};

const KEYS_AND_LOAD: Readonly<Record<string, Fault>> = {
  F77: [
    'keys change under load',
    ['journey/keyRotation', 'F77: rotation each second under load costs no call'],
    ['journey/keyRotationInside', 'F77: rotation each second under load costs no call'],
  ],
  F78: {
    what: 'a key set on the network is away',
    why:
      'no key is fetched from anywhere: those of clients and issuers are files, checked before they are used, and an ' +
      'address in a token is never asked (S25 in journey/oauthTokens)',
  },
  F79: [
    'a certificate ends',
    ['edge/assertion', 'F79: is refused once the certificate of its key has ended, or the one for our answers'],
    ['expiryWatch', 'F79: raises the alarm about what ends, when it ends, and then once a day'],
  ],
  F80: [
    'a signing key is revoked',
    ['edge/tokenVerifier', 'F80: ends with the key that signed it, even under the same kid'],
  ],
  F81: ['a token ends on the way', ['edge/tokenVerifier', 'F81: forgets a token when it ends, and judges it anew']],
  F82: ['the store of used assertions is away', ['edge/tokenEndpoint', 'S55, F82: no token while the store %s']],
  F83: [
    'slow heads and bodies',
    ['http/connection', 'F83: slow heads end without an answer while good calls are served'],
  ],
  F84: ['too large', ['http/malformed', 'F84: %s is 400, not 413, and the answer arrives whole']],
  F85: [
    'a flood of envelopes and assertions',
    ['edge/jwe', 'F85: opens so many of one party at a time, and leaves the others alone'],
    [
      'edge/tokenShares',
      'F85: one client fills its own share and no other’s; the rest of it waits, and no longer than its time',
    ],
  ],
  F86: [
    'deep and wide JSON',
    ['edge/strictJson', 'F86 stays alive with two million levels, balanced or not, and with a long run of anything'],
  ],
  F87: [
    'a flood of log lines',
    ['journey/metrics', 'F87 I10: a flood of refusals is counted in full and logged in samples'],
  ],
  F88: [
    'a flood of metric labels',
    ['journey/metrics', 'F88 I10: the number of series does not grow with ids, cards, paths, tokens and amounts'],
  ],
};

export const FAULTS_INSIDE: Readonly<Record<string, Fault>> = { ...STORE, ...PROCESS, ...KEYS_AND_LOAD };
