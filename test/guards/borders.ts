/**
 * The guards at the borders: what the store compares, what counts as an issuer's answer, what is let in, and what may be
 * written or shown.
 */
import { type Guard, seeds, tests } from './guard.ts';

const CLAIM = 'src/journal/lua/claim.lua';
const MOVE = 'src/journal/lua/move.lua';
const SQLITE = 'src/journal/sqlite.ts';
const REPLY = 'src/issuer/reply.ts';
const EXCHANGE = 'src/issuer/exchange.ts';

const STORE: readonly Guard[] = [
  {
    name: 'dedupe, in Redis',
    keeps: 'I1',
    file: CLAIM,
    source: 'if version then\n',
    replacement: 'if false then\n',
    red: [tests('contract/redis', 'I1 gives the entry that is there')],
  },
  {
    name: 'dedupe, embedded',
    keeps: 'I1',
    file: SQLITE,
    source: '    if (row) {\n      const entry',
    replacement: '    if (row?.w === writeId) {\n      const entry',
    red: [tests('contract/sqlite', 'I1 gives the entry that is there')],
  },
  {
    name: 'a claim asked for again is the same claim',
    keeps: 'I18',
    file: CLAIM,
    source: "if version == '1' and writer == writeId then",
    replacement: 'if false then',
    red: [tests('contract/redis', 'F62 is fresh again for the writeId that wrote it')],
  },
  {
    name: 'moves are compared, in Redis',
    keeps: 'I18',
    file: MOVE,
    source: 'if version ~= expected or at ~= claimedAt then',
    replacement: 'if not version then',
    red: [tests('contract/redis', 'I18 is lost where somebody else was first')],
  },
  {
    name: 'moves are compared, embedded',
    keeps: 'I18',
    file: SQLITE,
    source: 'if (row?.v !== from.version || row.at !== from.claimedAt)',
    replacement: 'if (!row)',
    red: [tests('contract/sqlite', 'I18 is lost where somebody else was first')],
  },
  {
    name: 'an entry of before is another entry',
    keeps: 'I18',
    file: MOVE,
    source: ' or at ~= claimedAt then',
    replacement: ' then',
    red: [tests('contract/redis', 'I18 takes no move that was decided on an entry of before')],
  },
  {
    name: 'only moves of the table are written',
    keeps: 'I18',
    file: SQLITE,
    source: '    if (!isLegal(from, to)) throw',
    replacement: '    if (!from) throw',
    red: [tests('contract/sqlite', 'I18 throws where the move is in no row of the table')],
  },
  {
    name: 'on the disk before it is told',
    keeps: 'I6',
    file: 'src/journal/sqliteFile.ts',
    source: 'PRAGMA synchronous = FULL;',
    replacement: 'PRAGMA synchronous = OFF;',
    red: [tests('journal/sqlite', 'I6 is set to be on the disk when a call returns')],
  },
  {
    name: 'what is owed does not expire',
    keeps: 'I17',
    file: 'src/domain/filing.ts',
    source: "  if (duty.is === 'parked') return { wake: null, owedSince: duty.since, expires: false };",
    replacement: "  if (duty.is === 'parked') return { wake: null, owedSince: duty.since, expires: true };",
    red: [tests('domain/entry', 'F60 an entry expires only when')],
  },
  {
    name: 'amnesia: a count or an epoch that went back',
    keeps: 'I12',
    file: CLAIM,
    source: "if tonumber(redis.call('GET', writes) or '0') < seenWrites or (seenEpoch ~= '' and id ~= seenEpoch) then",
    replacement: 'if false then',
    red: [tests('journal/redisAmnesia', 'F76 a claim notices what is lost, and writes nothing')],
  },
  {
    name: 'amnesia: no money for a while',
    keeps: 'I12',
    file: CLAIM,
    source: "if untilMs and tonumber(untilMs) > now and ARGV[10] == '1' then",
    replacement: 'if false then',
    red: [tests('journal/redisAmnesia', 'sees it when it looks for work')],
  },
  {
    name: 'amnesia: what this process knows is written again',
    keeps: 'I5',
    file: 'src/journal/steps.ts',
    source: '        const reply = await this.#journal.restore(entry);\n',
    replacement: "        const reply = { kind: entry ? 'done' : 'away' };\n",
    red: [tests('journal/redisAmnesia', 'I5 is written again: doubts')],
  },
];

const ISSUER: readonly Guard[] = [
  {
    name: 'echo',
    keeps: 'I20',
    file: REPLY,
    source: "  if (!isEchoOf(message, wire)) return unknown('wrongEcho');\n",
    replacement: '',
    red: [tests('issuer/reply', 'F23 I20: the echo'), seeds(20)],
  },
  {
    name: 'echo of the amount',
    keeps: 'I20',
    file: REPLY,
    source: 'return !isMoney(echoed) || compareMoney(echoed, message.amount) === 0;',
    replacement: 'return true;',
    red: [tests('issuer/reply', 'any other amount of money is another transaction')],
  },
  {
    name: 'no approval of less than asked',
    keeps: 'I2',
    file: REPLY,
    source: "return compared < 0 && !allowed ? 'partialApproval' : undefined;",
    replacement: 'return allowed ? undefined : undefined;',
    red: [tests('issuer/reply', 'approvals of less')],
  },
  {
    name: 'codes that leave it open',
    keeps: 'I5',
    file: REPLY,
    source: "  if (!isDefinite(code)) return unknown('openCode');\n",
    replacement: '',
    red: [tests('issuer/reply', 'F22: the code'), seeds(100)],
  },
  {
    name: 'unknown once a byte may have left',
    keeps: 'I5',
    file: EXCHANGE,
    source: '    this.#started = true;\n',
    replacement: '',
    red: [tests('issuer/exchange', 'is notSent before the request was started, and unknown after')],
  },
  {
    name: 'nothing is sent after the deadline',
    keeps: 'I11',
    file: EXCHANGE,
    source: '    if (this.#options.deadline.leftMs() < 1) {\n',
    replacement: '    if (this.#over) {\n',
    red: [tests('issuer/exchange', 'past the deadline the request is refused to undici')],
  },
  {
    name: 'nothing is sent twice by the library',
    keeps: 'I1',
    file: EXCHANGE,
    source: 'if (this.#over || this.#started) throw',
    replacement: 'if (this.#over) throw',
    red: [tests('issuer/exchange', 'I1: it is refused when undici would send it a second time')],
  },
  {
    name: 'declines do not open the breaker',
    keeps: 'I19',
    file: 'src/issuer/breaker.ts',
    source: "  outcome.kind === 'answered' || (",
    replacement: "  (outcome.kind === 'answered' && outcome.answer.code === '00') || (",
    red: [tests('issuer/breaker', 'F30: 1,000 declines leave it closed')],
  },
  {
    name: 'undos pass an open breaker',
    keeps: 'I19',
    file: 'src/issuer/breaker.ts',
    source: "    return this.#call(this.#probeIsFree() ? 'probe' : 'uncounted', message, options);",
    replacement: '    return this.send(message, options);',
    red: [tests('issuer/breaker', 'F31: deliveries are sent all the same')],
  },
  {
    name: 'no more at once than the limit',
    keeps: 'I10',
    file: 'src/runtime/bulkhead.ts',
    source: '      if (inUse >= limit) return undefined;\n',
    replacement: '',
    red: [tests('runtime/bulkhead', 'I10: takes as many as its limit'), seeds(80)],
  },
];

const EDGE: readonly Guard[] = [
  {
    name: 'no tranId comes back after it was forgotten',
    keeps: 'I1',
    file: 'src/edge/parse.ts',
    source: "  if (row.class === 'reversal' || ageMs < hours * HOUR_MS) return undefined;",
    replacement: "  if (row.class !== '') return undefined;",
    red: [tests('edge/parse', 'F7 can never take a tranId again')],
  },
  {
    name: 'the participants of the client',
    keeps: 'I16',
    file: 'src/edge/parse.ts',
    source: "typeof participantId !== 'string' || participants.has(participantId)",
    replacement: "participants.size > 0 || typeof participantId !== 'string'",
    red: [tests('edge/parse', 'a participant of somebody else')],
  },
  {
    name: 'scopes',
    keeps: 'I15',
    file: 'src/edge/authenticate.ts',
    source: "  if (!client.scopes.has(row.name) || !apis.has(row.name)) throw new Refusal('scope');\n",
    replacement: '',
    red: [tests('edge/authenticate', 'S36: allows what the scopes name')],
  },
  {
    name: 'the addresses of the client',
    keeps: 'I15',
    file: 'src/edge/authenticate.ts',
    source: "      if (!address || !allowed.holds(address)) throw new Refusal('address');\n",
    replacement: '',
    red: [tests('edge/authenticate', 'S13: the list is the client’s own')],
  },
  {
    name: 'one meaning for a name in a body',
    keeps: 'I4',
    file: 'src/edge/strictJson.ts',
    source: "    if (open.names.has(open.name)) return { field: this.#path(), reason: 'is there twice' };\n",
    replacement: '',
    red: [tests('edge/strictJson', 'S93 refuses a name twice in ')],
  },
  {
    name: 'sad fields are not kept',
    keeps: 'I14',
    file: 'src/journal/vault.ts',
    source: 'api, header, fields: withoutSad(fields.reveal())',
    replacement: 'api, header, fields: fields.reveal()',
    red: [tests('journal/vault', 'I14 never seals sensitive authentication data')],
  },
  {
    name: 'what is sealed for one entry opens for no other',
    keeps: 'I16',
    file: 'src/journal/vault.ts',
    source: 'keyText(key)}`, KEY_BYTES',
    replacement: 'typeof key}`, KEY_BYTES',
    red: [tests('journal/vault', 'I16 fails for another entry')],
  },
  {
    name: 'an error that nobody caught ends the process, untold',
    keeps: 'I14',
    file: 'src/main.ts',
    source: '  endOnDefect(log);\n',
    replacement: '',
    red: [tests('journey/defect', 'F66 I14 I17: ')],
  },
];

export const BORDERS: readonly Guard[] = [...STORE, ...ISSUER, ...EDGE];
