/**
 * Loaded before the gateway (`node --import`), it has Node give `unguardedIssuer.ts` to whoever asks for the breaker. So
 * the same program with the same configuration is measured with and without one, and the gateway itself has no switch for
 * that: a breaker that never opens still counts, and none at all is nothing that anybody should be able to configure.
 */
import { registerHooks } from 'node:module';

const BREAKER = new URL('../../src/issuer/breaker.ts', import.meta.url).href;
const STAND_IN = new URL('unguardedIssuer.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    return found.url === BREAKER ? { ...found, url: STAND_IN } : found;
  },
});
