/**
 * An issuer's line without a breaker, for the one comparison that asks what the breaker costs. It stands in for
 * `src/issuer/breaker.ts` (see withoutBreaker.ts) and passes everything straight on.
 */
import type { createGuardedIssuer as Guarded } from '../../src/issuer/breaker.ts';

export const createGuardedIssuer: typeof Guarded = ({ connector }) => ({
  state: 'closed',
  send: (message, options) => connector.send(message, options),
  deliver: (message, options) => connector.send(message, options),
  close: () => connector.close(),
});
