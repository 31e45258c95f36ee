/**
 * The way between one gateway and an issuer. It calls the gateway's own `Exchange` back as undici would, so that the code
 * which decides between "not sent" and "unknown" is the real one; what is simulated is everything below it.
 */
import { apiByName } from '../../src/catalogue/apis.ts';
import { type Message, wireOf } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { type Carrier, Exchange } from '../../src/issuer/exchange.ts';
import type { IssuerConnector, SendOptions } from '../../src/issuer/issuer.ts';
import { LateReaders } from '../../src/issuer/lateReaders.ts';
import { readIssuerReply } from '../../src/issuer/reply.ts';
import type { HttpReply, IssuerModel } from './issuerModel.ts';
import type { Request } from './ledger.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** Told when the first byte leaves: from here on the issuer may act. */
export type OnSend = (process: SimProcess, request: Request, options: SendOptions) => void;

const WAY_MS = [0.1, 8] as const;
/** Every exchange has a connection of its own, made for it. */
const CARRIER: Carrier = { isNew: true, isSuspect: false, fault: undefined, end() {}, hangUp() {} };

export class IssuerLink implements IssuerConnector {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #issuer: IssuerModel;
  readonly #onSend: OnSend;
  readonly #late: LateReaders;

  constructor(world: World, process: SimProcess, issuer: IssuerModel, onSend: OnSend) {
    this.#world = world;
    this.#process = process;
    this.#issuer = issuer;
    this.#onSend = onSend;
    this.#late = new LateReaders(process.clock, world.options.maxProcessingMs);
  }

  async send(message: Message, options: SendOptions): Promise<Outcome> {
    const row = apiByName(message.api);
    if (!row) throw new Error('an API that is not in the catalogue');
    if (options.deadline.leftMs() < 1) return { kind: 'notSent', reason: 'noBudget' };
    const request: Request = {
      api: message.api,
      participantId: message.header.participantId,
      tranId: message.header.tranId,
      body: JSON.parse(JSON.stringify(wireOf(message).reveal())),
    };
    const exchange = new Exchange({
      clock: this.#process.clock,
      deadline: options.deadline,
      readReply: (status, body) => readIssuerReply(status, body, message, row),
      carrier: CARRIER,
      late: options.onLate && {
        begin: stop => this.#late.begin(stop),
        came: outcome => {
          if (outcome.kind === 'answered' && outcome.status === 200) options.onLate?.(outcome.answer);
        },
      },
    });
    new Wire(this.#world, this.#process, this.#issuer, exchange).connect(
      () => this.#onSend(this.#process, request, options),
      request,
    );
    const { outcome } = await exchange.ending;
    this.#world.sometimes(`outcome ${outcome.kind === 'answered' ? 'answered' : outcome.reason}`);
    this.#world.note(this.#process.name, `${request.api} ${request.tranId}: ${said(outcome)}`);
    return outcome;
  }

  async close(): Promise<void> {
    this.#late.stopAll();
  }
}

const said = (outcome: Outcome): string =>
  outcome.kind === 'answered' ? `answered ${outcome.answer.code}` : `${outcome.kind} ${outcome.reason}`;

type Controller = Parameters<Exchange['onRequestStart']>[0];

/** One connection that carries one exchange. */
class Wire {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #issuer: IssuerModel;
  readonly #exchange: Exchange;
  /** Closed by the gateway: whatever still comes is not read. */
  #isClosed = false;
  #isOver = false;

  constructor(world: World, process: SimProcess, issuer: IssuerModel, exchange: Exchange) {
    this.#world = world;
    this.#process = process;
    this.#issuer = issuer;
    this.#exchange = exchange;
  }

  connect(onSend: () => void, request: Request): void {
    const world = this.#world;
    if (this.#issuer.mode === 'down' || world.fault('connectFails')) {
      this.#toGateway(() => this.#exchange.onResponseError(null, errorOf('ECONNREFUSED')));
      return;
    }
    const takes = world.fault('connectHangs') ? world.chance('connecting').between(100, 6000) : 0;
    this.#toGateway(() => this.#write(onSend, request), takes);
  }

  /** The connection is there: the exchange says whether anything may leave any more. */
  #write(onSend: () => void, request: Request): void {
    const world = this.#world;
    try {
      this.#exchange.onRequestStart(this.#controller());
    } catch (error) {
      world.sometimes('given up before it was connected');
      this.#exchange.onResponseError(null, error instanceof Error ? error : new Error('dropped'));
      return;
    }
    onSend();
    world.note(this.#process.name, `sends ${request.api} ${request.tranId} to ${this.#issuer.name}`);
    const sentAt = world.time.now;
    const chance = world.chance('issuer way');
    if (world.fault('resetAfterSend')) this.#fail('ECONNRESET', chance.skewed(...WAY_MS));
    if (world.fault('lostOnTheWay')) return;
    const isSlow = world.fault('slowOnTheWay');
    const way = () => (isSlow ? chance.skewed(50, world.options.maxProcessingMs * 0.9) : chance.skewed(...WAY_MS));
    const refusal = this.#issuer.atTheDoor();
    const answer = (reply: HttpReply) => this.#answer(reply);
    const arrive = () => (refusal ? answer(refusal) : this.#issuer.take(request, sentAt, answer));
    world.time.after(way(), arrive);
    if (world.fault('sentTwice')) world.time.after(way(), arrive);
  }

  #answer(reply: HttpReply): void {
    const world = this.#world;
    const chance = world.chance('replies');
    if (world.fault('replyLost')) return;
    const late = world.fault('replyLate') ? chance.between(0.5, 3) * world.options.timeoutMs : 0;
    const isCut = world.fault('replyCut');
    this.#toGateway(() => this.#read(reply, isCut), late);
  }

  #read({ status, body }: HttpReply, isCut: boolean): void {
    if (this.#isClosed) this.#world.sometimes('an answer comes after nobody reads it');
    if (this.#isClosed || this.#isOver) return;
    const bytes = Buffer.from(body);
    this.#exchange.onResponseStart(this.#controller(), status);
    if (isCut) {
      this.#exchange.onResponseData(this.#controller(), bytes.subarray(0, bytes.length >> 1));
      this.#over(() => this.#exchange.onResponseError(this.#controller(), errorOf('UND_ERR_SOCKET')));
      return;
    }
    if (bytes.length > 0) this.#exchange.onResponseData(this.#controller(), bytes);
    this.#over(() => this.#exchange.onResponseEnd());
  }

  #fail(code: string, afterMs: number): void {
    this.#toGateway(() => this.#over(() => this.#exchange.onResponseError(this.#controller(), errorOf(code))), afterMs);
  }

  #over(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
  }

  #toGateway(run: () => void, lateMs = 0): void {
    this.#process.deliver(lateMs + this.#world.chance('issuer way').skewed(...WAY_MS), run);
  }

  /** What undici hands to its handlers; of all that, giving up is what the exchange uses. */
  #controller(): Controller {
    const close = () => {
      this.#isClosed = true;
    };
    const controller: Pick<Controller, 'abort'> = { abort: close };
    return controller as Controller;
  }
}

const errorOf = (code: string): Error => Object.assign(new Error('simulated'), { code });
