/**
 * The demo issuer's own endpoints, outside the contract: what the ledger holds, what came in, the faults, and the part of
 * the cardholder: what is printed on the card, the one-time password that was sent, the answer on the other device. They
 * are for people and tests on this machine; there is no credential on them, and they show no whole card number.
 */
import type { IncomingMessage } from 'node:http';
import { maskPan } from '../domain/card.ts';
import { type OobResult, resultOf } from './apis/outOfBand.ts';
import { isObject, readJson } from './body.ts';
import { viewBooks, viewCard } from './books.ts';
import { type FaultList, parseFault } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { RequestLog } from './requests.ts';

export const CONTROL_PREFIX = '/_sandbox/';

export type Controls = {
  readonly ledger: Ledger;
  readonly faults: FaultList;
  readonly requests: RequestLog;
  readonly nowMs: number;
};
export type ControlReply = { readonly status: 200 | 400 | 404; readonly body: Readonly<Record<string, unknown>> };

/** What an endpoint answers; undefined where its last segment names nothing. */
type Endpoint = (
  controls: Controls,
  name: string,
  request: IncomingMessage,
) => ControlReply | undefined | Promise<ControlReply | undefined>;

/** The endpoints, by method and path. */
const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['GET ledger', ({ ledger }) => ok(viewBooks(ledger.store))],
  ['GET ledger/', ({ ledger }, name, request) => viewLedgerCard(ledger, name, request)],
  ['GET requests', ({ requests }) => ok({ requests: requests.list() })],
  ['GET faults', ({ faults }) => ok({ faults: faults.list() })],
  ['POST faults', ({ faults }, _, request) => addFault(faults, request)],
  [
    'DELETE faults',
    ({ faults }) => {
      faults.clear();
      return ok({ faults: faults.list() });
    },
  ],
  ['GET card/', (controls, name) => maybe(viewPlastic(controls, name))],
  ['GET otp/', (controls, name) => maybe(viewOtp(controls, name))],
  ['GET oob/', (controls, name) => maybe(viewOob(controls, name))],
  ['POST oob/', answerOob],
]);

/** Each endpoint as `METHOD path`; one that ends in a slash has a name behind it. */
export const ENDPOINT_NAMES: readonly string[] = [...ENDPOINTS.keys()];

/** Answers a request whose path begins with `CONTROL_PREFIX`. */
export async function control(controls: Controls, request: IncomingMessage, path: string): Promise<ControlReply> {
  const what = path.slice(CONTROL_PREFIX.length);
  const nameAt = what.indexOf('/') + 1;
  const endpoint = ENDPOINTS.get(`${request.method} ${nameAt === 0 ? what : what.slice(0, nameAt)}`);
  if (!endpoint) return { status: 404, body: { error: `there is ${ENDPOINT_NAMES.map(described).join(', ')}` } };
  const reply = await endpoint(controls, nameAt === 0 ? '' : what.slice(nameAt), request);
  return reply ?? { status: 404, body: { error: 'there is nothing of this name' } };
}

const described = (endpoint: string): string => endpoint.replace(' ', ` ${CONTROL_PREFIX}`).replace(/\/$/, '/{name}');

async function addFault(faults: FaultList, request: IncomingMessage): Promise<ControlReply> {
  const body = await readJson(request);
  const fault = body.kind === 'json' ? parseFault(body.value) : `the body ${body.reason}`;
  if (typeof fault === 'string') return refused(fault);
  return faults.add(fault)
    ? ok({ faults: faults.list() })
    : refused('too many faults are set; DELETE /_sandbox/faults first');
}

type View = Readonly<Record<string, unknown>>;

/** So many effects a card never has; a whole number that long is still exact. */
const AFTER = /^\d{1,15}$/;

/** One card's books. `?after=N` leaves its first N effects out. */
function viewLedgerCard(ledger: Ledger, token: string, { url = '' }: IncomingMessage): ControlReply | undefined {
  const after = new URLSearchParams(url.split('?')[1]).get('after') ?? undefined;
  if (after !== undefined && !AFTER.test(after)) return refused('after must be a whole number');
  return maybe(viewCard(ledger.store, token, after === undefined ? undefined : Number(after)));
}

/** What the cardholder reads on the card, but for the number. */
function viewPlastic({ ledger }: Controls, token: string): View | undefined {
  const card = ledger.store.cardByToken(token);
  if (!card) return undefined;
  const number = card.number.reveal();
  const { expiry } = card;
  return {
    cardToken: token,
    cardMaskNumber: maskPan(number),
    expiryDate: expiry,
    CVV2: ledger.key.cvv2(number, expiry),
  };
}

/** What the cardholder would have read on the telephone. */
function viewOtp({ ledger, nowMs }: Controls, refNo: string): View | undefined {
  const sent = ledger.store.records.otps.find({ refNo });
  return (
    sent && {
      otpRefNo: sent.refNo,
      otp: ledger.key.otp(sent.refNo),
      otpType: sent.sentBy,
      validTime: String(Math.max(sent.validUntilMs - nowMs, 0)),
      wrongTries: sent.tries,
      used: sent.used,
    }
  );
}

function viewOob({ ledger, nowMs }: Controls, refNo: string): View | undefined {
  const asked = ledger.store.records.oobs.find({ refNo });
  return (
    asked && {
      oobRefNo: asked.refNo,
      acsTransId: asked.acsTransId,
      oobResult: resultOf(asked, nowMs),
      validTime: String(Math.max(asked.validUntilMs - nowMs, 0)),
    }
  );
}

const ANSWERS: ReadonlySet<unknown> = new Set<OobResult>(['Y', 'N', 'E']);

/** Answers in the cardholder's place, once: Y, N, or E to let the time be over now. */
async function answerOob(
  controls: Controls,
  refNo: string,
  request: IncomingMessage,
): Promise<ControlReply | undefined> {
  const body = await readJson(request);
  const answer = body.kind === 'json' && isObject(body.value) ? body.value.oobResult : undefined;
  if (typeof answer !== 'string' || !ANSWERS.has(answer)) return refused('oobResult must be Y, N or E');
  const { ledger, nowMs } = controls;
  const asked = ledger.store.records.oobs.find({ refNo });
  if (!asked) return undefined;
  if (resultOf(asked, nowMs) !== 'P') return refused('this authentication has ended');
  const end = answer === 'E' ? { validUntilMs: nowMs } : { result: answer };
  ledger.store.inTransaction(() => ledger.store.records.oobs.save({ ...asked, ...end }));
  return maybe(viewOob(controls, refNo));
}

const ok = (body: View): ControlReply => ({ status: 200, body });
const maybe = (body: View | undefined): ControlReply | undefined => body && ok(body);
const refused = (error: string): ControlReply => ({ status: 400, body: { error } });
