/**
 * A defect in the gateway itself: an error that nobody caught, with card data in its text, while a purchase is at the
 * issuer. It must not go on in an unknown state, must not print the text, and leaves its work to the next start.
 */
import { describe, expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import { codeOf, learn, PATIENT, payment, Rig, untilNothingOwed } from './rig.ts';

const CANARY = 'canary-4220001234567890';

/** Loaded before the program: on SIGUSR2 something fails that nobody waits for. */
const failing = (how: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${how}})`)}`;

describe.concurrent('a defect', PATIENT, () => {
  it.for([
    ['an exception', `setImmediate(()=>{throw new Error('${CANARY}')})`],
    ['a rejection', `Promise.reject(new Error('${CANARY}'))`],
  ] as const)(
    'F66 I14 I17: %s ends it, is told without its text, and the purchase under way is reversed after',
    async ([, how], test) => {
      const rig = new Rig(test);
      const issuer = await rig.issuer();
      const gateway = await rig.gateway(issuer, {
        journalUrl: newSqliteUrl(),
        env: { NODE_OPTIONS: failing(how) },
      });
      const tranId = newTranId();
      issuer.script('Purchase', { kind: 'hangAfterEffect' });
      const told = codeOf(call(gateway, 'Purchase', payment('card'), { tranId }));
      await issuer.waitFor('the purchase', () => issuer.balanceOf('card') === '987.50');
      process.kill(gateway.pid, 'SIGUSR2');
      await gateway.untilGone();
      // A busy machine may have let the budget pass first.
      expect(['lost', '68']).toContain(await told);
      expect(gateway.logLines().filter(({ event }) => event === 'defect')).toHaveLength(1);
      expect(gateway.log()).not.toContain(CANARY);

      await gateway.restart();
      await issuer.waitFor('the undo', () => issuer.balanceOf('card') === '1000.00');
      expect((await learn(gateway, 'Purchase', payment('card'), { tranId })).body.responseCode).toBe('68');
      await untilNothingOwed(gateway);
      expect(await gateway.sigterm()).toBe(0);
    },
  );
});
