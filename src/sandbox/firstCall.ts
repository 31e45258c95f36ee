/**
 * The curl line that `npm start` prints: a first Purchase with a demo card, to be pasted as it is. Pasted twice it shows
 * a replay, since it carries its `tranId`; the timestamp is the shell's.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { SandboxCredentials } from './credentials.ts';

export function firstCall(credentials: SandboxCredentials, baseUrl: string, clock: Clock, random: Random): string {
  const [card] = credentials.cards.reveal();
  if (!card) throw new Error('the sandbox has no demo card');
  const now = new Date(clock.wallMs()).toISOString().replaceAll(/[-:]/g, '');
  const message = {
    participantId: credentials.participantId,
    tranBranch: '000001',
    tranChnl: '08',
    tranDate: now.slice(0, 8),
    tranTime: now.slice(9, 15),
    tranId: random.id(),
    cardToken: card.cardToken,
    tranAmount: '12.50',
    tranCurrency: card.currency,
  };
  return [
    `curl -sS -i ${baseUrl}/tranmgr/purchase`,
    `-H 'Authorization: Bearer ${credentials.clientToken.reveal()}'`,
    `-H "timestamp: $(date +%s)"`,
    `-H 'Content-Type: application/json'`,
    `-d '${JSON.stringify(message)}'`,
  ].join(' ');
}
