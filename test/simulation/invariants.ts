/**
 * The invariants of the gateway, by number: what the simulation asserts of each, or why it cannot. Tests compare this
 * with the names that the oracle really uses.
 */
export type Invariant = { readonly says: string } & ({ readonly asserted: string } | { readonly elsewhere: string });

export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  I1: {
    says: 'at most one effect',
    asserted: 'each ledger does a tranId once; nothing settled is sent again but by a repeat; no key is claimed twice',
  },
  I2: { says: 'no invented approval', asserted: 'told 00, the ledger has approved this very message' },
  I3: { says: 'stable answer', asserted: 'all final answers of one id have the same content, to the end of the run' },
  I4: { says: 'same id, other body', asserted: 'all messages with one id that reach an issuer have one content' },
  I5: {
    says: 'convergence',
    asserted: 'at the end the ledgers agree with what the journal holds and callers were told; or it is parked',
  },
  I6: {
    says: 'durable before visible',
    asserted: 'no first byte without an entry in the store, no answer that the store does not hold',
  },
  I7: { says: 'holds conserve', asserted: 'after each decision what is held is what the holds say, and none below 0' },
  I8: {
    says: 'exact reversal',
    asserted: 'no undo leaves that is not owed, none has an effect unasked, an original after its Reversal is not sent',
  },
  I9: { says: 'bounded answer', asserted: 'every call is answered within its budget and one call of the journal' },
  I10: {
    says: 'bounded resources',
    asserted: 'bulkheads keep their limits at each step and are empty at the end; heap and handles are for the soak',
  },
  I11: { says: 'nothing starts late', asserted: 'no first byte after the deadline, counted on true time too' },
  I12: { says: 'fail closed', asserted: 'no first byte without an entry while the store is away, silent or read-only' },
  I13: { says: 'money conserved', asserted: 'all accounts of a ledger add up to nothing after each decision' },
  I14: {
    says: 'secrecy',
    elsewhere: 'logs and metrics are not simulated: test/journey/secrecy.test.ts reads all output',
  },
  I15: {
    says: 'authenticate before effect',
    elsewhere: 'callers are taken as authenticated: test/http/authentication.test.ts and test/edge',
  },
  I16: { says: 'tenant isolation', asserted: 'a final answer goes only to the client whose entry it is' },
  I17: {
    says: 'crash recovery',
    asserted: 'at the end every entry is in the store as it was written, at rest or parked with an alarm',
  },
  I18: { says: 'monotone and fenced', asserted: 'each write is a legal move from the version that the store held' },
  I19: { says: 'liveness', asserted: 'after all has healed a good call goes through at each gateway' },
  I20: { says: 'correlation', asserted: 'told 00, what the ledger has done has this id, API, card and amount' },
};
