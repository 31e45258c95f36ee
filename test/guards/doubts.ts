/**
 * The guards that make every doubt end and nothing happen twice: the life of an entry, the journey, and the deliveries.
 */
import { type Guard, seeds, tests } from './guard.ts';

const ENTRY = 'src/domain/entry.ts';
const DUTY = 'src/domain/duty.ts';
const JOURNEY = 'src/authorize.ts';
const ORIGINALS = 'src/authorize/originals.ts';
const DELIVERIES = 'src/delivery/deliveries.ts';

const CLAIMS: readonly Guard[] = [
  {
    name: 'claim before send',
    keeps: 'I6',
    file: JOURNEY,
    source: '  call.trail.claiming = call.message;\n',
    replacement:
      '  await send(deps, call, { deadline: call.deadline, repeat: false });\n  call.trail.claiming = call.message;\n',
    red: [tests('authorize', 'F62 I1: for good, '), seeds(20)],
  },
  {
    name: 'armed from birth',
    keeps: 'I6',
    file: ENTRY,
    source: "const ARMED: Duty = { is: 'armed' };",
    replacement: "const ARMED: Duty = { is: 'none' };",
    red: [tests('domain/entry', 'I6 a claim is armed from its first version'), seeds(20)],
  },
  {
    name: 'claims are found when their lease is over',
    keeps: 'I17',
    file: 'src/domain/filing.ts',
    source: 'wake: { lane: RECOVERY, at: standing.leaseUntil }',
    replacement: 'wake: { lane: RECOVERY, at: standing.leaseUntil + 1e12 }',
    red: [tests('contract/sqlite', 'F64 finds a claim once its lease is over'), seeds(40)],
  },
  {
    name: 'takeover',
    keeps: 'I17',
    file: ENTRY,
    source: "  if (entry.standing.at !== 'claimed' || entry.standing.leaseUntil > now) return entry;\n  return {",
    replacement: '  if (now > 0) return entry;\n  return {',
    red: [tests('domain/entry', 'F59 F68 a claim is taken over'), seeds(40)],
  },
  {
    name: 'no takeover before the lease is over',
    keeps: 'I18',
    file: ENTRY,
    source: ' || entry.standing.leaseUntil > now',
    replacement: '',
    red: [tests('domain/entry', 'F59 F68 a claim is taken over')],
  },
  {
    name: 'takeover raises the fence',
    keeps: 'I18',
    file: ENTRY,
    source: 'return { ...doubt(entry, now), fence: entry.fence + 1 };',
    replacement: 'return doubt(entry, now);',
    red: [tests('domain/entry', 'I18 the fence never goes back')],
  },
  {
    name: 'fence',
    keeps: 'I18',
    file: ENTRY,
    source: "  if (entry.fence !== event.fence) return outcome.kind === 'notSent' ? entry : settleLate(entry, now);\n",
    replacement: '',
    red: [tests('domain/entry', 'I18 an old owner never settles anything')],
  },
  {
    name: 're-arm of a late settle',
    keeps: 'I5',
    file: ENTRY,
    source: '(isUndone(entry) ? undoAgain(entry, now) : entry)',
    replacement: 'entry',
    red: [tests('domain/duty', 'I8 of an old owner that settles after all is undone once more')],
  },
  {
    name: 're-arm of a late approval',
    keeps: 'I5',
    file: DUTY,
    source: "return answer.code === '00' ? undoAgain(heard, now) : heard;",
    replacement: 'return heard;',
    red: [tests('domain/duty', 'F25 a late answer'), tests('journey/lateAnswers', 'I3 I5 ')],
  },
  {
    name: 'what was sent before is no plain no',
    keeps: 'I3',
    file: ENTRY,
    source: "(outcome.kind === 'notSent' && wasSentBefore)",
    replacement: 'wasSentBefore === undefined',
    red: [tests('domain/claimAgain', 'I3 once it was sent, 91 is never told')],
  },
  {
    name: 'a command is not sent when the issuer may have forgotten it',
    keeps: 'I1',
    file: ENTRY,
    source: '(askAgain || leaseUntil < entry.claimedAt + event.remembersMs)',
    replacement: 'leaseUntil > 0',
    red: [tests('domain/claimAgain', 'I1 is not sent again when the issuer may have forgotten')],
  },
];

const UNDOS: readonly Guard[] = [
  {
    name: 'tombstone',
    keeps: 'I8',
    file: 'src/delivery/follow.ts',
    source: '    const buried = await steps.claim(tombstoneOf(reversal), deadline);\n',
    replacement: "    if (!held) return { kind: 'marked', held: null };\n    const buried = { kind: 'away' };\n",
    red: [tests('journey/originals', 'F35 I8 is 00; the late '), seeds(40)],
  },
  {
    name: 'an approval that was reversed meanwhile is not told',
    keeps: 'I8',
    file: ENTRY,
    source: "  if (entry.standing.marked && outcome.answer.code === '00') return undoing(entry, now);\n",
    replacement: '',
    red: [tests('domain/entry', 'F37 an approval that comes after a mark is not told'), seeds(60)],
  },
  {
    name: 'one undo: marking is idempotent',
    keeps: 'I8',
    file: ENTRY,
    source: "  if (isUndone(entry) || standing.at === 'tombstone') return entry;",
    replacement: "  if (standing.at === 'tombstone') return entry;",
    red: [tests('domain/entry', 'F36 a mark is idempotent')],
  },
  {
    name: 'one undo: its tranId follows from the original',
    keeps: 'I8',
    file: 'src/delivery/derive.ts',
    source: 'JSON.stringify([original.participantId, original.tranId, kind, undoNo])',
    replacement: 'JSON.stringify([original.participantId, original.tranId, kind, undoNo, performance.now()])',
    red: [tests('journey/undo', 'F34 I8 goes on under its tranId after no answer')],
  },
  {
    name: 'an undo is acknowledged by 00 alone',
    keeps: 'I5',
    file: DELIVERIES,
    source: "    if (answer.code === '00') return { kind: 'done', answer: null };\n",
    replacement: "    if (answer.code !== '') return { kind: 'done', answer: null };\n",
    red: [seeds(40)],
  },
  {
    name: 'late 25',
    keeps: 'I5',
    file: DUTY,
    source: 'if (duty.absentSeen && isFinding)',
    replacement: 'if (duty.absentSeen)',
    red: [tests('domain/entry', 'F34 "original not found" ends an undo only when'), seeds(100)],
  },
  {
    name: 'a 25 that may be repeated proves nothing',
    keeps: 'I5',
    file: DUTY,
    source: 'const isFinding = duty.triesOfId === 1 && ',
    replacement: 'const isFinding = ',
    red: [tests('domain/duty', 'F34 I5 a 25 under an id that was sent before')],
  },
  {
    name: 'the first 25 proves nothing',
    keeps: 'I5',
    file: DUTY,
    source: 'if (duty.absentSeen && isFinding) return',
    replacement: 'if (isFinding) return',
    red: [tests('domain/entry', 'F34 "original not found" ends an undo only when')],
  },
  {
    name: 'parked, never dropped',
    keeps: 'I17',
    file: DUTY,
    source: "      return park(entry, 'declined');",
    replacement: '      return delivered(entry, duty.kind, null);',
    red: [tests('journey/undo', 'F45 F46 I17 is parked with an alarm'), seeds(40)],
  },
  {
    name: 'remembersHours',
    keeps: 'I1',
    file: DUTY,
    source:
      "  if (duty.kind === 'repeat' && until >= entry.claimedAt + limits.remembersMs) return park(entry, 'repeatWindowOver');\n",
    replacement: '',
    red: [tests('domain/entry', 'I1 a repeat is never under way when the issuer may have forgotten'), seeds(300)],
  },
  {
    name: 'a try that outlived its lease is undone again',
    keeps: 'I5',
    file: DELIVERIES,
    source: "    if (!reported && outcome.kind !== 'notSent') await this.#afterLease(leased);\n",
    replacement: '',
    red: [tests('delivery/leases', 'F68 I5 a repeat that ends after its lease')],
  },
  {
    name: 'a try does not begin after its lease',
    keeps: 'I1',
    file: DELIVERIES,
    source: 'deadline: latest.within(timeoutMs, 0),',
    replacement: 'deadline: Deadline.in(clock, timeoutMs),',
    red: [tests('delivery/leases', 'F68 I11 a gateway that is frozen')],
  },
  {
    name: 'what the store has lost is written again first',
    keeps: 'I5',
    file: DELIVERIES,
    source: '    if (this.#deps.journal.amnesia().losses !== this.#lossesSeen) return this.#restore();\n',
    replacement: '',
    red: [tests('journey/amnesia', 'I5 I17: doubts that were open are written again')],
  },
];

const ANSWERS: readonly Guard[] = [
  {
    name: 'lookup of the original: undone or declined',
    keeps: 'I13',
    file: ORIGINALS,
    source: "  if (standing === 'gone') return { kind: 'refused', code: '12' };\n",
    replacement: '',
    red: [tests('journey/originals', 'F44 I13 Refund of a Purchase that is reversed')],
  },
  {
    name: 'lookup of the original: in flight or in doubt',
    keeps: 'I1',
    file: ORIGINALS,
    source: "standing === 'open' ? 'open' : 'free'",
    replacement: "'free'",
    red: [tests('journey/originals', 'I1 Refund of a LoadFund that is being repeated')],
  },
  {
    name: 'another client’s original',
    keeps: 'I16',
    file: ORIGINALS,
    source: "  if (original.entry.client !== client.id) return { kind: 'refused', code: '25' };\n",
    replacement: '',
    red: [tests('journey/originals', '25 for good, unsent, approved or open')],
  },
  {
    name: 'another client’s original, of a Reversal',
    keeps: 'I16',
    file: 'src/delivery/follow.ts',
    source: "  if (original.client !== reversal.client) return '25';\n",
    replacement: '',
    red: [tests('journey/undo', "F9 I16 of another client's original")],
  },
  {
    name: 'another client’s tranId',
    keeps: 'I16',
    file: JOURNEY,
    source: "  if (entry.client !== client.id) throw refuse('tranIdReused', message);\n",
    replacement: '',
    red: [tests('journey/replay', 'F9 I16 from another client'), seeds(40)],
  },
  {
    name: 'same tranId, other content',
    keeps: 'I4',
    file: JOURNEY,
    source: '  if (other.length === 0) return;\n',
    replacement: '  if (other.length >= 0) return;\n',
    red: [tests('journey/replay', 'F6 I4 other '), seeds(60)],
  },
  {
    name: 'told only what the journal holds',
    keeps: 'I2',
    file: JOURNEY,
    source:
      "  return holds(entry, settled) ? told(call, outcome.answer) : tellEntry(deps, call, entry, false, 'unknown');",
    replacement: '  return told(call, outcome.answer);',
    red: [tests('authorize', 'F62 F37 I2 I3: a marked purchase'), seeds(60)],
  },
  {
    name: '09 while nobody knows what was stored',
    keeps: 'I6',
    file: JOURNEY,
    source: "  if (moved.kind !== 'done') return inProgress(call);\n  deps",
    replacement:
      "  if (moved.kind !== 'done') return outcome.kind === 'answered' ? told(call, outcome.answer) : inProgress(call);\n  deps",
    red: [seeds(120)],
  },
  {
    name: 'not forwarded without the replicas that were asked for',
    keeps: 'I1',
    file: JOURNEY,
    source:
      "  if (!claimed.isReplicated) return settle(deps, call, claimed.held, { kind: 'notSent', reason: 'notReplicated' });\n",
    replacement: '',
    red: [tests('journey/amnesia', 'I12: a claim that no replica has is never forwarded')],
  },
  {
    name: 'without the journal no inquiry either',
    keeps: 'I12',
    file: JOURNEY,
    source: "  if (!deps.journal.isUp()) throw refuse('journalAway', call.message);\n",
    replacement: '',
    red: [tests('journey/redisAway', 'F47 F54 I12: killed')],
  },
];

export const DOUBTS: readonly Guard[] = [...CLAIMS, ...UNDOS, ...ANSWERS];
