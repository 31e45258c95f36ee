/**
 * The demo issuer as a server: the issuer's side of the contract over HTTP, in front of the ledger, with the faults that
 * it was told to have. It is a core banking system of its own and shares nothing with the gateway but the catalogue.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { APIS } from '../catalogue/apis.ts';
import { messageOf } from '../catalogue/message.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { validateHeader, validateRequest } from '../catalogue/validate.ts';
import type { Message, WireFields } from '../domain/message.ts';
import { type FieldError, REFUSALS } from '../domain/refusal.ts';
import { meaningOf, type ResponseCode } from '../domain/responseCode.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import { isObject, readJson } from './body.ts';
import { CONTROL_PREFIX, control } from './controls.ts';
import { FAULTS, type Fault, FaultList, type FaultRow } from './faults.ts';
import { Ledger, type LedgerAnswer } from './ledger.ts';
import { type ReplyBody, sendJson, sendReply } from './replies.ts';
import { masked, RequestLog, type SeenRequest } from './requests.ts';

export type IssuerServerOptions = {
  /** The ledger's database. */
  readonly file: string;
  readonly host: string;
  /** 0 lets the system choose a free one. */
  readonly port: number;
  readonly basePath: string;
  /** What the gateway presents as its bearer credential. */
  readonly token: Secret<string>;
  readonly clock: Clock;
};

/** Calls that are being worked on or held back at once; past it 503, so that hanging callers cannot fill the memory. */
const IN_PROGRESS_MAX = 4_096;
const NORMAL: FaultRow = { effect: true, waits: 'first', reply: 'answer', delayMs: 0 };
const TIMESTAMP = /^\d{1,15}$/;

/** A message that was proved, or what is wrong with it and the header fields that could be read. */
type Reading =
  | { readonly message: Message; readonly fields: WireFields; readonly header: WireFields }
  | {
      readonly message: undefined;
      readonly fields: WireFields;
      readonly header: WireFields;
      readonly code: ResponseCode;
      readonly errors: readonly FieldError[];
    };

export class IssuerServer {
  readonly #options: IssuerServerOptions;
  readonly #ledger: Ledger;
  readonly #faults = new FaultList();
  readonly #requests = new RequestLog();
  readonly #routes: ReadonlyMap<string, ApiRow>;
  readonly #tokenHash: Uint8Array;
  readonly #server: Server;
  /** Ends every wait when the server closes. */
  readonly #closing = new AbortController();
  #inProgress = 0;

  constructor(options: IssuerServerOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.file, options.clock);
    this.#routes = new Map(APIS.map(row => [options.basePath + row.path, row]));
    this.#tokenHash = sha256(options.token.reveal());
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
      void this.#serve(request, response);
    });
    // Longer than the gateway's, so that it is never we who close a connection that it is about to use.
    this.#server.keepAliveTimeout = 65_000;
    this.#server.maxHeadersCount = 64;
  }

  /** Begins to listen and tells the port. Rejects where the port is taken. */
  async listen(): Promise<number> {
    const { port, host } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('a listening server has a port');
    return address.port;
  }

  /** Ends every connection and every wait, then the ledger. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve());
    });
    this.#closing.abort();
    this.#server.closeAllConnections();
    await closed;
    this.#ledger.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?', 1);
    try {
      if (path.startsWith(CONTROL_PREFIX)) {
        const controls = {
          ledger: this.#ledger,
          faults: this.#faults,
          requests: this.#requests,
          nowMs: this.#options.clock.wallMs(),
        };
        const { status, body } = await control(controls, request, path);
        this.#json(response, status, body);
      } else await this.#bounded(request, response, path);
    } catch {
      // A defect, or a database that cannot be written: the transaction was rolled back, so nothing was decided.
      if (!response.headersSent && !this.#closing.signal.aborted) this.#refuse(response, 500, '96');
    }
  }

  async #bounded(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (this.#inProgress >= IN_PROGRESS_MAX) return this.#refuse(response, 503, '91');
    this.#inProgress += 1;
    try {
      await this.#call(request, response, path);
    } finally {
      this.#inProgress -= 1;
    }
  }

  async #call(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const row = request.method === 'POST' ? this.#routes.get(path) : undefined;
    if (!row) return this.#refuse(response, 404, '12');
    if (!this.#isAuthorized(request)) return this.#refuse(response, 401, '10');
    const reading = await readMessage(row, request);
    const seen = this.#note(row, request, reading);
    if (!reading.message) {
      seen.responseCode = reading.code;
      seen.reply = 400;
      return this.#refuse(response, 400, reading.code, reading.header, reading.errors);
    }
    await this.#answer(reading.message, reading.header, seen, response);
  }

  async #answer(message: Message, header: WireFields, seen: SeenRequest, response: ServerResponse): Promise<void> {
    const fault = this.#faults.take(message.api);
    if (fault) seen.fault = fault.fault;
    const row: FaultRow = fault ? FAULTS[fault.fault] : NORMAL;
    if (row.waits === 'first') await this.#wait(row, fault);
    if (this.#closing.signal.aborted) return;
    const answer = row.effect ? this.#ledger.decide(message) : undefined;
    if (answer) {
      seen.ledger = answer.replayed ? 'replayed' : 'decided';
      seen.responseCode = answer.code;
    }
    if (row.waits === 'beforeReply') await this.#wait(row, fault, response);
    const status = answer?.code === '94' ? 400 : 200;
    const gone = response.destroyed || response.socket?.destroyed !== false;
    sendReply(response, row.reply, { status, timestamp: this.#options.clock.wallMs() }, bodyOf(header, answer));
    if (gone) seen.reply = 'gone';
    else seen.reply = row.reply === 'reset' ? 'reset' : response.statusCode;
  }

  /** Waits as the fault says; with a response only while its caller stays. */
  async #wait(row: FaultRow, fault: Fault | undefined, response?: ServerResponse): Promise<void> {
    const delayMs = fault?.delayMs ?? row.delayMs;
    if (delayMs === 0 || response?.destroyed) return;
    const left = new AbortController();
    response?.once('close', () => left.abort());
    await this.#options.clock.sleep(delayMs, AbortSignal.any([left.signal, this.#closing.signal]));
  }

  #note(row: ApiRow, request: IncomingMessage, reading: Reading): SeenRequest {
    const fields = masked(reading.fields);
    const deadlineMs = headerText(request, 'deadline-ms');
    const idempotencyKey = headerText(request, 'idempotency-key');
    return this.#requests.add({
      at: new Date(this.#options.clock.wallMs()).toISOString(),
      api: row.name,
      ...textOf(reading.header, 'participantId'),
      ...textOf(reading.header, 'tranId'),
      ...textOf(fields, 'originalTranId'),
      repeat: headerText(request, 'repeat') === 'true',
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      fields,
    });
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const [, token] = /^bearer ([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    // Hashes have one length, which is what a comparison in constant time asks for.
    return token !== undefined && timingSafeEqual(sha256(token), this.#tokenHash);
  }

  #refuse(
    response: ServerResponse,
    status: number,
    code: ResponseCode,
    header: WireFields = {},
    errors: readonly FieldError[] = [],
  ): void {
    const body = { ...header, responseCode: code, responseDesc: meaningOf(code) };
    this.#json(response, status, errors.length > 0 ? { ...body, errors } : body);
  }

  #json(response: ServerResponse, status: number, body: ReplyBody): void {
    sendJson(response, { status, timestamp: this.#options.clock.wallMs() }, body);
  }
}

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();

const headerText = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const textOf = (fields: WireFields, name: string): Readonly<Record<string, string>> => {
  const value = fields[name];
  return typeof value === 'string' ? { [name]: value } : {};
};

/** The header fields as sent, the response code with its text, and the API's own response fields. */
const bodyOf = (header: WireFields, answer: LedgerAnswer | undefined): ReplyBody =>
  answer
    ? { ...header, responseCode: answer.code, responseDesc: meaningOf(answer.code), ...answer.fields }
    : { ...header };

/** Proves the message: the body by the catalogue, then the HTTP headers that must agree with it. */
async function readMessage(row: ApiRow, request: IncomingMessage): Promise<Reading> {
  const body = await readJson(request);
  const nothing = { message: undefined, fields: {}, header: {}, code: '30' } as const;
  if (body.kind === 'bad') return { ...nothing, errors: [{ field: 'body', reason: body.reason }] };
  if (!isObject(body.value)) return { ...nothing, errors: [{ field: 'body', reason: 'must be a JSON object' }] };
  const header = validateHeader(body.value);
  const own = validateRequest(row, body.value);
  const read = { fields: own.fields, header: header.fields };
  const findings = [...header.findings, ...own.findings];
  const errors = findings.map(({ field, reason }) => ({ field, reason }));
  const wrong = [...errors, ...headerErrors(request, header.fields)];
  if (wrong.length === 0) return { ...read, message: messageOf(row, header.fields, own.fields) };
  const [first, ...others] = findings.length === wrong.length ? findings.map(({ refusal }) => refusal) : [];
  const code = first && others.every(other => other === first) ? REFUSALS[first].code : '30';
  return { ...read, message: undefined, code, errors: wrong };
}

function headerErrors(request: IncomingMessage, header: WireFields): readonly FieldError[] {
  const errors: FieldError[] = [];
  const timestamp = headerText(request, 'timestamp');
  const key = headerText(request, 'idempotency-key');
  const type = headerText(request, 'content-type');
  if (timestamp === undefined || !TIMESTAMP.test(timestamp)) {
    errors.push({ field: 'timestamp', reason: 'must be UNIX time in seconds or milliseconds, 1 to 15 digits' });
  }
  if (key !== undefined && key !== header.tranId)
    errors.push({ field: 'idempotency-key', reason: 'must equal tranId' });
  if (type !== undefined && !/^application\/json(;|$)/i.test(type)) {
    errors.push({ field: 'content-type', reason: 'must be application/json' });
  }
  return errors;
}
