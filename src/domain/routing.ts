/**
 * Which issuer a message goes to: a pure choice from the routes of its participant by the longest card prefix.
 */
import type { IssuerId, ParticipantId } from './ids.ts';
import type { Message } from './message.ts';

export type Route = {
  readonly participant: ParticipantId;
  /** Beginning of `cardNumber` or `cardToken`; empty: every card of the participant, and messages without one. */
  readonly cardPrefix: string;
  readonly issuer: IssuerId;
};

/** The issuer of the longest matching prefix; undefined where no route fits. */
export function chooseIssuer(routes: readonly Route[], message: Message): IssuerId | undefined {
  const { cardNumber, cardToken } = message.fields.reveal();
  const fits = (prefix: string) =>
    prefix === '' || [cardNumber, cardToken].some(card => typeof card === 'string' && card.startsWith(prefix));
  let best: Route | undefined;
  for (const route of routes) {
    if (route.participant !== message.header.participantId || !fits(route.cardPrefix)) continue;
    if (!best || route.cardPrefix.length > best.cardPrefix.length) best = route;
  }
  return best?.issuer;
}
