/**
 * The demo issuer's own endpoints, outside the contract: what the ledger holds, what came in, and the faults. They are
 * for people and tests on this machine; there is no credential on them, and they show no whole card number.
 */
import type { IncomingMessage } from 'node:http';
import { readJson } from './body.ts';
import { viewBooks, viewCard } from './books.ts';
import { type FaultList, parseFault } from './faults.ts';
import type { RequestLog } from './requests.ts';
import type { Store } from './store.ts';

export const CONTROL_PREFIX = '/_sandbox/';

export type Controls = { readonly store: Store; readonly faults: FaultList; readonly requests: RequestLog };
export type ControlReply = { readonly status: 200 | 400 | 404; readonly body: Readonly<Record<string, unknown>> };

/** Answers a request whose path begins with `CONTROL_PREFIX`. */
export async function control(controls: Controls, request: IncomingMessage, path: string): Promise<ControlReply> {
  const what = path.slice(CONTROL_PREFIX.length);
  const method = request.method ?? '';
  if (what === 'faults') return controlFaults(controls.faults, request, method);
  if (method !== 'GET') return notFound();
  if (what === 'requests') return ok({ requests: controls.requests.list() });
  if (what === 'ledger') return ok(viewBooks(controls.store));
  if (!what.startsWith('ledger/')) return notFound();
  const card = viewCard(controls.store, what.slice('ledger/'.length));
  return card ? ok(card) : { status: 404, body: { error: 'no card has this token' } };
}

async function controlFaults(faults: FaultList, request: IncomingMessage, method: string): Promise<ControlReply> {
  if (method === 'DELETE') faults.clear();
  else if (method === 'POST') {
    const body = await readJson(request);
    const fault = body.kind === 'json' ? parseFault(body.value) : `the body ${body.reason}`;
    if (typeof fault === 'string') return refused(fault);
    if (!faults.add(fault)) return refused('too many faults are set; DELETE /_sandbox/faults first');
  } else if (method !== 'GET') return notFound();
  return ok({ faults: faults.list() });
}

const ok = (body: ControlReply['body']): ControlReply => ({ status: 200, body });
const refused = (error: string): ControlReply => ({ status: 400, body: { error } });
const notFound = (): ControlReply => ({
  status: 404,
  body: {
    error:
      'there is GET /_sandbox/ledger, GET /_sandbox/ledger/{cardToken}, GET /_sandbox/requests, and GET, POST and DELETE /_sandbox/faults',
  },
});
