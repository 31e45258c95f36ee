/**
 * What a test of faults sets up: gateways, issuers, Redis servers and proxies that end with the test, short time limits, and
 * the questions that such tests ask again and again. The issuer is the witness; at the end it must not have seen a
 * single breach of the contract.
 */

import { type ChaosProxy, startChaosProxy } from '../support/chaosProxy.ts';
import { type Answer, type CallOptions, call, type Fields } from '../support/client.ts';
import { type Gateway, type StartOptions, startGateway } from '../support/gatewayProcess.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../support/redis.ts';
import { type IssuerOptions, type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';

/**
 * Short limits, so that leases end soon: a claim is leased for the budget and two seconds, a try of a delivery for the
 * issuer's time and two seconds.
 */
export const QUICK = {
  client: { budgetMs: 1200 },
  issuer: { timeoutMs: 800, maxProcessingMs: 800 },
} as const;

/** For tests in which no time limit plays a part, on a machine that has other things to do. */
export const UNHURRIED = {
  client: { budgetMs: 8000 },
  issuer: { timeoutMs: 6000, maxProcessingMs: 6000 },
} as const;

/** For tests that run side by side, and wait for each other's starts. */
export const PATIENT = { timeout: 120_000 } as const;

/** Where a hook can be left that runs when the test is over; vitest's context is one. */
type TestEnd = { readonly onTestFinished: (end: () => Promise<void>) => void };

type GatewaySetting = Omit<StartOptions, 'issuerUrl'>;

export class Rig {
  readonly #issuers: ScriptedIssuer[] = [];
  readonly #ends: (() => Promise<void>)[] = [];

  /** Without a test it is ended by hand. */
  constructor(test?: TestEnd) {
    test?.onTestFinished(() => this.end());
  }

  async issuer(options: IssuerOptions = {}): Promise<ScriptedIssuer> {
    const issuer = await startScriptedIssuer(options);
    this.#issuers.push(issuer);
    this.#ends.push(() => issuer.stop());
    return issuer;
  }

  async redis(options: RedisOptions = {}): Promise<RedisServer> {
    const redis = await startRedis(options);
    this.#ends.push(() => redis.stop());
    return redis;
  }

  async proxy(target: { readonly port: number }): Promise<ChaosProxy> {
    const proxy = await startChaosProxy(target);
    this.#ends.push(() => proxy.stop());
    return proxy;
  }

  /** A gateway with short limits, unless they are given. They start one after the other: a start is all computing. */
  async gateway(issuer: Pick<ScriptedIssuer, 'baseUrl'>, options: GatewaySetting = {}): Promise<Gateway> {
    const { client, issuer: own, ...rest } = options;
    const start = () =>
      startGateway({
        issuerUrl: issuer.baseUrl,
        ...rest,
        client: { ...QUICK.client, ...client },
        issuer: { ...QUICK.issuer, ...own },
      });
    const gateway = await inTurn(start);
    this.#ends.push(() => gateway.kill9());
    return gateway;
  }

  /** Has something else ended, too, before what was started earlier. */
  atEnd(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** Ends everything. @throws Error when an issuer saw a breach of the contract. */
  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    const violations = this.#issuers.flatMap(({ violations: seen }) => seen);
    if (violations.length > 0) throw new Error(`the issuer saw breaches of the contract:\n${violations.join('\n')}`);
  }
}

let lastStart: Promise<unknown> = Promise.resolve();

/** Runs `start` when all starts before it are over. */
function inTurn<T>(start: () => Promise<T>): Promise<T> {
  const started = lastStart.then(start);
  lastStart = started.catch(() => undefined);
  return started;
}

/** The journal as a gateway reaches it through a proxy. */
export const redisUrlOf = ({ host, port }: Pick<ChaosProxy, 'host' | 'port'>): string => `redis://${host}:${port}`;

/** A payment of a card; every test has cards of its own. */
export const payment = (cardToken: string, tranAmount = '12.50'): Fields => ({
  cardToken,
  tranAmount,
  tranCurrency: '840',
});

/** The answer's code; `lost` where the connection broke before there was one. */
export async function codeOf(answer: Promise<Answer>): Promise<string> {
  try {
    return String((await answer).body.responseCode);
  } catch {
    return 'lost';
  }
}

/**
 * A purchase that was approved, to build on. Where a busy machine let a time limit pass it is made again with another
 * `tranId`.
 */
export const approved = (gateway: Gateway, fields: Fields): Promise<Answer> =>
  waitFor(
    'an approval',
    async () => {
      const answer = await call(gateway, 'Purchase', fields);
      return answer.body.responseCode === '00' && answer;
    },
    { everyMs: 50 },
  );

/** Calls again under the same `tranId` until the outcome is told: neither `09` nor 503. */
export async function learn(
  gateway: Gateway,
  api: Parameters<typeof call>[1],
  fields: Fields,
  options: CallOptions & { readonly tranId: string },
): Promise<Answer> {
  return waitFor(`the outcome of ${api} ${options.tranId}`, async () => {
    const answer = await call(gateway, api, fields, options);
    return answer.status === 503 || answer.body.responseCode === '09' ? undefined : answer;
  });
}

export type Labels = Readonly<Record<string, string>>;
export type Sample = { readonly name: string; readonly labels: Labels; readonly value: number };

/** Every sample of `/metrics`. */
export async function samplesOf(gateway: Pick<Gateway, 'metrics'>): Promise<Sample[]> {
  const lines = (await gateway.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return lines.map(line => {
    const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text] as const);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

/** The sum of a metric over all series that have these labels; undefined where there is none. */
export async function metric(
  gateway: Pick<Gateway, 'metrics'>,
  name: string,
  labels: Labels = {},
): Promise<number | undefined> {
  const wanted = Object.entries(labels);
  const found = (await samplesOf(gateway)).filter(
    sample => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** The state that the issuer's breaker is in. */
export async function breakerOf(gateway: Gateway, issuer = 'test-issuer'): Promise<string | undefined> {
  const states = await samplesOf(gateway);
  return states.find(
    ({ name, labels, value }) => name === 'gateway_breaker_state' && labels.issuer === issuer && value === 1,
  )?.labels.state;
}

/** Until no transaction is in doubt and nothing is owed any more, parked obligations aside. */
export async function untilNothingOwed(gateway: Gateway): Promise<void> {
  await waitFor(
    'all doubts to end',
    async () =>
      (await metric(gateway, 'gateway_doubts_open')) === 0 && (await metric(gateway, 'gateway_obligations_due')) === 0,
    { everyMs: 50 },
  );
}

/** Until the journal holds an entry of this `tranId`. */
export async function untilClaimed(redis: RedisServer, tranId: string): Promise<void> {
  await waitFor(`the claim of ${tranId}`, async () => {
    const names = await redis.command('KEYS', `*:e:${tranId}/*`);
    return Array.isArray(names) && names.length > 0;
  });
}
