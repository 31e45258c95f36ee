/**
 * A line to an issuer for the tests of deliveries: one place, a closed breaker, and whatever becomes of what is delivered.
 */
import { expect } from 'vitest';
import type { IssuerId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { IssuerLine, SendOptions } from '../../src/issuer/issuer.ts';
import { createBulkhead } from '../../src/runtime/bulkhead.ts';
import { DAY_MS } from '../journal/journalSteps.ts';

const TIMEOUT_MS = 1000;

export type Deliver = (options: SendOptions) => Promise<Outcome>;

export const lineOf = (deliver: Deliver): IssuerLine => ({
  id: 'issuer-a' as IssuerId,
  issuer: {
    state: 'closed',
    send: async () => expect.fail('nothing new is sent'),
    deliver: (_, options) => deliver(options),
    close: async () => undefined,
  },
  inFlight: createBulkhead(1),
  deliveries: createBulkhead(1),
  timeoutMs: () => TIMEOUT_MS,
  maxProcessingMs: 0,
  remembersMs: DAY_MS,
});
