/**
 * Connectors and misbehaving issuers for the tests of the connector; both are closed after each test.
 */
import { afterEach } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { createHttpIssuer, type HttpIssuerOptions, type IssuerAlarm } from '../../src/issuer/httpIssuer.ts';
import type { IssuerConnector } from '../../src/issuer/issuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { within } from '../support/waitFor.ts';
import { messageOf } from './messages.ts';
import { startIssuer } from './scriptedIssuer.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

export async function issuer(...args: Parameters<typeof startIssuer>) {
  const started = await startIssuer(...args);
  cleanUps.push(() => started.close());
  return started;
}

export type Connector = IssuerConnector & { readonly alarms: readonly IssuerAlarm[] };

export function connectorTo(baseUrl: string, options: Partial<HttpIssuerOptions> = {}): Connector {
  const alarms: IssuerAlarm[] = [];
  const onAlarm = (alarm: IssuerAlarm) => alarms.push(alarm);
  const connector = createHttpIssuer({ baseUrl, clock: systemClock, connections: 20, onAlarm, ...options });
  cleanUps.push(() => connector.close());
  return Object.assign(connector, { alarms });
}

/** Long enough for anything that is meant to succeed. */
export const AMPLE_MS = 20_000;
/** Short, for what is meant to run into it; long enough to connect and send on a busy machine. */
export const SHORT_MS = 600;

export const send = (connector: IssuerConnector, message: Message = messageOf(), ms = AMPLE_MS, repeat = false) =>
  within('the outcome of a send', connector.send(message, { deadline: Deadline.in(systemClock, ms), repeat }));

/**
 * Sends when connections are used again, which they are a turn of the event loop after an answer: without the wait a new
 * one would be opened, and a test could not see that an old one is used again.
 */
export async function sendNext(connector: IssuerConnector, message?: Message, ms?: number): Promise<Outcome> {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
  return send(connector, message, ms);
}

export const unknown = (reason: string) => ({ kind: 'unknown', reason });
export const notSent = (reason: string) => ({ kind: 'notSent', reason });
export const codeOf = (outcome: Outcome): string =>
  outcome.kind === 'answered' ? outcome.answer.code : outcome.reason;
