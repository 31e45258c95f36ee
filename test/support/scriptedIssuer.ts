/**
 * An issuer for tests that speaks the gateway's issuer contract and misbehaves as told. It writes down every message in
 * order of arrival, keeps its own books, and notes every breach of the contract that it can see from its side: it is
 * the witness against which the gateway's promises are checked.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ApiName, apiAt, INQUIRIES } from './apiPaths.ts';
import { type Decision, type Effect, IssuerLedger } from './issuerLedger.ts';
import { answerBody, reply } from './issuerReply.ts';
import { type Behaviour, hasEffect, IssuerScript, type When } from './issuerScript.ts';
import type { WaitOptions } from './waitFor.ts';

export type IssuerRequest = {
  readonly api: ApiName;
  readonly path: string;
  readonly participantId: string;
  readonly tranId: string;
  readonly originalTranId: string | undefined;
  /** `Repeat: true` was sent. */
  readonly repeat: boolean;
  readonly idempotencyKey: string | undefined;
  readonly deadlineMs: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  /** Arrival in milliseconds of this process's monotonic clock. */
  readonly at: number;
};

export type IssuerOptions = {
  /** Opening balances by `cardToken` or `cardNumber`; a card that is not named opens with 1000.00. */
  readonly cards?: Readonly<Record<string, string>>;
  /** Currency of all accounts; default 840. */
  readonly currency?: string;
  /** False: a repeated `tranId` is done again. */
  readonly remembers?: boolean;
  /** How long an idle connection stays open; default 60 s, longer than any gateway keeps it. */
  readonly keepAliveMs?: number;
};

export type ScriptedIssuer = {
  readonly port: number;
  /** As `issuers[].baseUrl` takes it. */
  readonly baseUrl: string;
  /** Every message in order of arrival. */
  readonly requests: readonly IssuerRequest[];
  requestsOf(api: ApiName, tranId?: string): readonly IssuerRequest[];
  /** Messages about one transaction: itself and those that name it as their original. */
  about(tranId: string): readonly IssuerRequest[];
  readonly effects: readonly Effect[];
  effectsOf(tranId: string): readonly Effect[];
  /** What the card can spend, such as `987.50`. */
  balanceOf(card: string): string;
  heldOf(card: string): string;
  /** Breaches of the contract seen so far; every test should end with none. */
  readonly violations: readonly string[];
  /** Connections accepted since the start. */
  connections(): number;
  /** From now on messages of `api` (or all) are treated so; rules are asked in the order in which they were added. */
  script(api: ApiName | '*', behaviour: Behaviour, when?: When): void;
  /** Forgets all rules; what hangs goes on hanging. */
  heal(): void;
  /** Acts on what is queued, in order, and answers where the connection is still there. */
  release(): void;
  /** Messages that wait for `release`. */
  queued(): number;
  /** Waits until `look` is true; asked again at every arrival and at every effect. */
  waitFor(what: string, look: () => boolean, options?: WaitOptions): Promise<void>;
  stop(): Promise<void>;
};

export const BASE_PATH = '/card-api';
const HOST = '127.0.0.1';
/** Asked again at least this often, for conditions about something other than this issuer. */
const LOOK_MS = 50;

/** Starts an issuer on a free port. */
export async function startScriptedIssuer(options: IssuerOptions = {}): Promise<ScriptedIssuer> {
  const issuer = new Issuer(options);
  await issuer.listen();
  return issuer;
}

class Issuer implements ScriptedIssuer {
  readonly requests: IssuerRequest[] = [];
  readonly violations: string[] = [];
  readonly #ledger: IssuerLedger;
  readonly #script = new IssuerScript();
  readonly #server: Server;
  #queue: (() => void)[] = [];
  #watchers = new Set<() => void>();
  #connections = 0;

  constructor({ cards = {}, currency = '840', remembers = true, keepAliveMs = 60_000 }: IssuerOptions) {
    this.#ledger = new IssuerLedger(currency, remembers);
    for (const [card, balance] of Object.entries(cards)) this.#ledger.open(card, balance);
    this.#server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#connections += 1;
      socket.on('error', () => {});
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get baseUrl(): string {
    return `http://${HOST}:${this.port}${BASE_PATH}`;
  }

  get effects(): readonly Effect[] {
    return this.#ledger.effects;
  }

  requestsOf(api: ApiName, tranId?: string): readonly IssuerRequest[] {
    return this.requests.filter(request => request.api === api && (tranId === undefined || request.tranId === tranId));
  }

  about(tranId: string): readonly IssuerRequest[] {
    return this.requests.filter(request => request.tranId === tranId || request.originalTranId === tranId);
  }

  effectsOf(tranId: string): readonly Effect[] {
    return this.effects.filter(effect => effect.tranId === tranId);
  }

  balanceOf(card: string): string {
    return this.#ledger.available(card);
  }

  heldOf(card: string): string {
    return this.#ledger.held(card);
  }

  connections(): number {
    return this.#connections;
  }

  script(api: ApiName | '*', behaviour: Behaviour, when: When = {}): void {
    this.#script.add(api, behaviour, when);
  }

  heal(): void {
    this.#script.clear();
  }

  release(): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const act of waiting) act();
  }

  queued(): number {
    return this.#queue.length;
  }

  waitFor(what: string, look: () => boolean, options: WaitOptions = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const end = (failure?: Error) => {
        clearTimeout(late);
        clearInterval(again);
        this.#watchers.delete(check);
        if (failure) reject(failure);
        else resolve();
      };
      const check = () => {
        if (look()) end();
      };
      const late = setTimeout(() => end(new Error(`waited ${timeoutMs} ms for ${what}\n${this.#story()}`)), timeoutMs);
      const again = setInterval(check, options.everyMs ?? LOOK_MS);
      this.#watchers.add(check);
      check();
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen({ port: 0, host: HOST }, resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await this.#read(incoming).catch(() => undefined);
    if (!request) return void response.writeHead(404).end();
    this.#check(request);
    this.requests.push(request);
    this.#handle(request, this.#script.next(request), response);
    this.#changed();
  }

  #handle(request: IssuerRequest, behaviour: Behaviour, response: ServerResponse): void {
    if (behaviour.kind === 'queueUntilReleased') {
      this.#queue.push(() => this.#handle(request, { kind: 'answer' }, response));
      return;
    }
    const decision = this.#decide(request, behaviour);
    this.#changed();
    if (!response.destroyed) reply(response, request, behaviour, answerBody(request, decision));
  }

  #decide(request: IssuerRequest, behaviour: Behaviour): Decision {
    if (behaviour.kind === 'decline') return this.#ledger.refuse(request, behaviour.code);
    return hasEffect(behaviour) ? this.#ledger.decide(request) : { code: '00', fields: {} };
  }

  async #read(incoming: IncomingMessage): Promise<IssuerRequest | undefined> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const at = performance.now();
    const path = incoming.url ?? '';
    const api = path.startsWith(BASE_PATH) ? apiAt(path.slice(BASE_PATH.length)) : undefined;
    if (!api || incoming.method !== 'POST') {
      this.violations.push(`${incoming.method} ${path} is no call of the catalogue`);
      return undefined;
    }
    const { headers } = incoming;
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const original = body.originalTranId;
    return {
      api,
      path,
      participantId: String(body.participantId),
      tranId: String(body.tranId),
      originalTranId: original === undefined ? undefined : String(original),
      repeat: headers.repeat === 'true',
      idempotencyKey: one(headers['idempotency-key']),
      deadlineMs: headers['deadline-ms'] === undefined ? undefined : Number(headers['deadline-ms']),
      headers,
      body,
      at,
    };
  }

  /** What the contract lets an issuer expect of a message (design, section 8). */
  #check(request: IssuerRequest): void {
    const { tranId, headers, idempotencyKey, deadlineMs } = request;
    const breach = (what: string) => this.violations.push(`${request.api} ${tranId}: ${what}`);
    if (idempotencyKey !== tranId) breach(`Idempotency-Key is ${idempotencyKey}`);
    if (!/^\d{1,15}$/.test(one(headers.timestamp) ?? '')) breach(`timestamp is ${headers.timestamp}`);
    if (!Number.isInteger(deadlineMs) || (deadlineMs ?? 0) <= 0) breach(`Deadline-Ms is ${headers['deadline-ms']}`);
    if (headers['content-type'] !== 'application/json') breach(`Content-Type is ${headers['content-type']}`);
    if (INQUIRIES.has(request.api)) return;
    const first = this.requests.find(
      before => before.tranId === tranId && before.participantId === request.participantId,
    );
    if (!first) return;
    if (!request.repeat) breach('sent again without Repeat: true');
    if (first.api !== request.api) breach(`was a ${first.api} before`);
    for (const field of COMPARED) {
      if (first.body[field] !== request.body[field]) breach(`${field} differs from the first send`);
    }
  }

  #changed(): void {
    for (const check of [...this.#watchers]) check();
  }

  /** What arrived, for messages about waits that failed: api, id, original, repeat; no card data. */
  #story(): string {
    const lines = this.requests.map(
      ({ api, tranId, originalTranId, repeat }) =>
        `  ${api} ${tranId}${originalTranId ? ` of ${originalTranId}` : ''}${repeat ? ' (repeat)' : ''}`,
    );
    return ['the issuer saw:', ...lines].join('\n');
  }
}

/** Fields that a repeat must bring again as they were. */
const COMPARED = ['cardToken', 'cardNumber', 'tranAmount', 'tranCurrency', 'originalTranId'];

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;
