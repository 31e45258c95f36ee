/**
 * The public port with the real authentication behind it and a journey that ends there: what gets past every check is
 * counted as an effect, so that a test can say that a refused call had none (I15).
 */
import { afterEach } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import type { Cidr, ClientConfig } from '../../src/config/config.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { Secret } from '../../src/domain/secret.ts';
import { checkScope, createAuthenticator } from '../../src/edge/authenticate.ts';
import { checkTimestamp } from '../../src/edge/timestamp.ts';
import {
  type Answer,
  type Inbound,
  type Journey,
  type RequestRecord,
  refusedAnswer,
  type Seal,
} from '../../src/http/journey.ts';
import { type PublicOptions, type PublicServer, startPublic } from '../../src/http/public.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { clientWith, TOKEN } from '../edge/clients.ts';

export const PATH = '/card-api/tranmgr/purchase';
export const NOW = '1795233592181';

export const approved = (changes: Partial<Answer> = {}): Answer => ({
  status: 200,
  header: { participantId: '100000', tranId: 'T1' },
  code: '00',
  desc: 'approved',
  fields: new Secret({ authCode: '123456' }),
  errors: [],
  replayed: false,
  ...changes,
});

export type Stage = PublicServer & {
  /** The bodies of the calls that got past every check. */
  readonly effects: Uint8Array[];
  readonly records: RequestRecord[];
  readonly defects: unknown[];
};

export type StageOptions = Partial<PublicOptions> & {
  readonly clients?: readonly ClientConfig[];
  readonly trustedProxies?: readonly Cidr[];
  /** Waited for before anything is looked at, and before the answer. */
  readonly before?: (inbound: Inbound) => Promise<void>;
  readonly after?: () => Promise<void>;
  readonly answer?: Answer;
  readonly seal?: Seal;
};

const open = new Set<PublicServer>();

afterEach(async () => {
  await Promise.all([...open].map(server => server.close(0)));
  open.clear();
});

/** Starts a stage that ends with the test. */
export const startStage = async (options: StageOptions = {}): Promise<Stage> => {
  const effects: Uint8Array[] = [];
  const records: RequestRecord[] = [];
  const defects: unknown[] = [];
  const server = await startPublic({
    host: '127.0.0.1',
    port: 0,
    basePath: '/card-api',
    rows: APIS,
    isOffered: () => true,
    journey: journeyOf(options, effects),
    clock: systemClock,
    random: systemRandom,
    observe: record => records.push(record),
    onDefect: error => defects.push(error),
    ...options,
  });
  open.add(server);
  return { ...server, effects, records, defects };
};

const journeyOf = (options: StageOptions, effects: Uint8Array[]): Journey => {
  const authenticator = createAuthenticator(options.clients ?? [clientWith()], options.trustedProxies ?? []);
  return async inbound => {
    try {
      await options.before?.(inbound);
      const caller = await authenticator.authenticate(inbound);
      const { client } = caller;
      checkScope(caller, inbound.row);
      checkTimestamp(inbound.timestamp, 0, 0);
      effects.push(await inbound.readBody(client.payload));
      await options.after?.();
      const facts = { outcome: 'approved', clientId: client.id } as const;
      return { answer: options.answer ?? approved(), facts, seal: options.seal };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { answer: refusedAnswer(error), facts: { outcome: 'refused', refusal: error.reason } };
    }
  };
};

/** A promise that a test opens. */
export const gateOf = () => {
  let open = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  return { open, opened };
};

/** A call that is fine unless changed. A header given as undefined is left out, one given as a list is sent so often. */
export type Call = {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string;
};

/** The bytes of a call. */
export const textOf = (call: Call = {}): string => {
  const body = call.body ?? '{"a":"1"}';
  const headers = {
    Host: 'gateway.example',
    Authorization: `Bearer ${TOKEN}`,
    timestamp: NOW,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body, 'latin1')),
    ...call.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map(one => `${name}: ${one}\r\n`),
  );
  return `${call.method ?? 'POST'} ${call.target ?? PATH} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
};
