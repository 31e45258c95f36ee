/**
 * Cards of a test's own: applied for, activated and loaded over HTTP, so that tests of one sandbox do not meet. Every
 * answer that comes back is held against the catalogue.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { apiByName } from '../../../src/catalogue/apis.ts';
import { HEADER_NAMES } from '../../../src/catalogue/header.ts';
import { readReply } from '../../../src/catalogue/validate.ts';
import type { WireFields } from '../../../src/domain/message.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import type { ApiName } from '../../support/apiPaths.ts';
import { type Callee, call } from '../../support/client.ts';
import { freshId, header, pathOf, type Sandbox, startSandbox } from '../support.ts';

/** A clock that goes on only when it is told to. */
export function handClock(at = '2026-01-05T10:00:00.000Z'): Clock & { pass(ms: number): void } {
  let nowMs = Date.parse(at);
  return {
    ...systemClock,
    wallMs: () => nowMs,
    pass: ms => {
      nowMs += ms;
    },
  };
}

export type Body = { readonly responseCode: string; readonly [name: string]: unknown };
/** Sends one call with exactly these own fields. */
export type Send = (api: ApiName, fields: WireFields, tranId?: string) => Promise<Body>;

const isHeader = (name: string): boolean => HEADER_NAMES.some(each => each === name);

/** Proves an answer by the catalogue: what it says, and that it says nothing that is not listed. */
export function expectListed(api: string, body: Body): void {
  const row = apiByName(api);
  if (!row) throw new Error(`no API ${api}`);
  const reading = readReply(row, body, { approved: body.responseCode === '00', currency: undefined });
  const { responseCode: _, responseDesc: __, ...rest } = body;
  const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !isHeader(name)));
  expect([api, reading]).toEqual([api, { kind: 'fields', fields: own }]);
}

/** Straight to the demo issuer. */
const directly =
  (sandbox: Sandbox): Send =>
  async (api, fields, tranId = freshId()) => {
    const sent = JSON.stringify({ ...header({ tranId }), ...fields });
    const { status, body } = await sandbox.post(`/card-api${pathOf(api)}`, sent);
    expect([api, status, body.errors]).toEqual([api, 200, undefined]);
    const answer = { ...body, responseCode: String(body.responseCode) };
    expectListed(api, answer);
    return answer;
  };

export type Stage = {
  /** Once the tests run. */
  sandbox(): Sandbox;
  readonly send: Send;
  /** The same, and the response code alone. */
  code(...sent: Parameters<Send>): Promise<string>;
};

/** A demo issuer of its own for all tests of a file. */
export function openStage(clock: Clock = systemClock): Stage {
  let started: Sandbox | undefined;
  const sandbox = (): Sandbox => {
    if (!started) throw new Error('the demo issuer runs only while tests do');
    return started;
  };
  beforeAll(async () => {
    started = await startSandbox(clock);
  });
  afterAll(() => sandbox().close());
  const send: Send = (...sent) => directly(sandbox())(...sent);
  return { sandbox, send, code: async (...sent) => (await send(...sent)).responseCode };
}

/** Through a gateway. */
export const through =
  (gateway: Callee): Send =>
  async (api, fields, tranId) => {
    const answer = await call(gateway, api, fields, tranId === undefined ? {} : { tranId });
    const { status, body } = answer;
    expect([api, status, body.errors]).toEqual([api, 200, undefined]);
    const told = { ...body, responseCode: String(body.responseCode) };
    expectListed(api, told);
    return told;
  };

/** The answer of a call that must be approved. */
export async function approved(send: Send, api: ApiName, fields: WireFields): Promise<Record<string, string>> {
  const body = await send(api, fields);
  expect([api, body.responseCode]).toEqual([api, '00']);
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

export type Card = {
  readonly cardToken: string;
  readonly cardNumber: string;
  readonly expiryDate: string;
  readonly CVV2: string;
  readonly customerId: string;
};

export const IDENTITY = { custIdType: 'P', custIdNo: 'X1234567' };

let customers = 0;
export const freshCustomer = (): string => {
  customers += 1;
  return `customer-${customers}-${freshId()}`;
};

/** Applies for a virtual dollar card, of a new customer unless said otherwise. It is inactive and empty. */
export async function apply(send: Send, more: Record<string, string> = {}): Promise<Card> {
  const sent = { cardFlag: 'V', cardProdCode: 'PREPAID01', customerId: freshCustomer(), ...IDENTITY, ...more };
  const { cardToken = '', cardNumber = '', expiryDate = '', CVV2 = '' } = await approved(send, 'CardApplication', sent);
  return { cardToken, cardNumber, expiryDate, CVV2, customerId: sent.customerId };
}

export const activate = async (send: Send, card: Card): Promise<void> => {
  const { cardToken, expiryDate, CVV2, customerId } = card;
  await approved(send, 'CardActivation', { cardToken, expiryDate, CVV2, customerId, ...IDENTITY });
};

/** An active card with 1,000.00 on it. */
export async function issue(send: Send, more: Record<string, string> = {}): Promise<Card> {
  const card = await apply(send, more);
  await activate(send, card);
  await approved(send, 'LoadFund', { cardToken: card.cardToken, tranAmount: '1000.00', tranCurrency: '840' });
  return card;
}

export const dollars = (tranAmount: string) => ({ tranAmount, tranCurrency: '840' });

/** A PIN block of ISO 9564-1 format 2: not bound to a card number. */
export const pinBlock = (pin: string): string => `2${pin.length.toString(16)}${pin}`.padEnd(16, 'F').toUpperCase();
