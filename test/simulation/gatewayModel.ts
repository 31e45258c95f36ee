/**
 * A gateway in the simulation: the real journey, deliveries, steps, vault, breakers and bulkheads, put together as
 * `gateway.ts` does, in one simulated process that can be ended at any moment and started anew on the same journal.
 */
import { createJourney, type Site } from '../../src/authorize.ts';
import { APIS } from '../../src/catalogue/apis.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import type { ClientConfig } from '../../src/config/config.ts';
import { Deliveries } from '../../src/delivery/deliveries.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { ClientId, IssuerId, ParticipantId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Journey, Served } from '../../src/http/journey.ts';
import { createGuardedIssuer } from '../../src/issuer/breaker.ts';
import type { IssuerLine, IssuerLines } from '../../src/issuer/issuer.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Steps } from '../../src/journal/steps.ts';
import { createVault } from '../../src/journal/vault.ts';
import { type Bulkhead, createBulkhead } from '../../src/runtime/bulkhead.ts';
import { replaced } from '../support/replacedJournal.ts';
import { IssuerLink, type OnSend } from './issuerLink.ts';
import type { IssuerModel } from './issuerModel.ts';
import type { Options } from './options.ts';
import { SimProcess } from './process.ts';
import type { Sabotage } from './sabotage.ts';
import type { World } from './world.ts';

export const RETENTION_HOURS = 168;
export const PARTICIPANTS = ['100000', '200000'] as const;

/** What all gateways of a run share. */
export type Shared = {
  readonly world: World;
  /** The journal of a process; all of them are on one store. */
  readonly journalOf: (process: SimProcess) => Journal;
  readonly issuers: readonly IssuerModel[];
  readonly onSend: OnSend;
  readonly onParked: (name: string) => void;
  readonly sabotage: Sabotage;
};

export const clientIdOf = (index: number): ClientId => `client-${index}` as ClientId;
/** The issuer of a participant, where there are so many of them. */
export const issuerOf = (participant: number, issuers: number): number => participant % issuers;

/** A call as the simulated network brings it. */
export type Call = { readonly row: ApiRow; readonly client: number; readonly body: Uint8Array; readonly id: string };

/** The seal key of every run; what it seals never leaves the run. */
const SEAL_KEY = new Uint8Array(32).fill(7);

export class GatewayModel {
  readonly process: SimProcess;
  readonly lines: readonly IssuerLine[];
  readonly #journey: Journey;
  readonly #deliveries: Deliveries;
  readonly #served: Sabotage['served'];
  /** Calls that were not answered yet. */
  readonly waiting = new Set<Call>();

  constructor(shared: Shared, name: string, machine: { readonly aheadMs: number; readonly drift: number }) {
    const { world } = shared;
    this.process = new SimProcess(world, name, machine);
    const { clock, random } = this.process;
    const { sabotage } = shared;
    const link = shared.journalOf(this.process);
    const journal = replaced(link, sabotage.journal?.(link, this.process));
    const steps = new Steps(journal, clock, random, world.options.amnesiaMs);
    const vault = createVault([new Secret(SEAL_KEY)], random);
    this.lines = shared.issuers.map(issuer => this.#line(shared, issuer));
    const issuers = linesOf(this.lines);
    const onDefect = (error: unknown) =>
      world.violate('defect', error instanceof Error ? (error.stack ?? '') : 'unknown');
    const observer = {
      attempted: (_issuer: IssuerId, kind: string, result: string) => world.sometimes(`delivery ${kind} ${result}`),
      takenOver: () => world.sometimes('takeover'),
      parked: (key: { tranId: string; participantId: string }, _issuer: IssuerId, kind: string, why: string) => {
        world.sometimes(`parked ${kind} ${why}`);
        shared.onParked(`${key.tranId}/${key.participantId}`);
      },
      late: (_entry: Entry, _code: string, effect: string) => world.sometimes(`late answer ${effect}`),
      failed: onDefect,
    };
    this.#deliveries = new Deliveries({ journal, steps, vault, issuers, clock, random, observer });
    const deps = { issuers, journal, steps, vault, deliveries: this.#deliveries, clock, onDefect };
    const site = siteOf(world.options, sabotage.client);
    this.#journey = createJourney({ ...deps, site: () => site, standby: () => undefined });
    this.#served = sabotage.served;
    if (sabotage.delivers !== false) this.#deliveries.start();
  }

  /** Serves a call. Resolves never where the process ends before it has answered. */
  async serve(call: Call, told: (served: Served) => void): Promise<void> {
    const { clock } = this.process;
    const served = await this.#journey({
      row: call.row,
      requestId: call.id,
      peer: '127.0.0.1',
      forwardedFor: [],
      authorization: new Secret(String(call.client)),
      timestamp: String(Math.floor(clock.wallMs())),
      idempotencyKey: undefined,
      readBody: async () => call.body,
      arrivedMonotonicMs: clock.monotonicMs(),
    });
    told((await this.#served?.(served, this.process)) ?? served);
  }

  /** Ends in an orderly way: what is under way is brought to its end. */
  stop(): Promise<void> {
    return this.#deliveries.stop();
  }

  #line({ world, onSend, sabotage }: Shared, model: IssuerModel): IssuerLine {
    const { options } = world;
    const id = model.name as IssuerId;
    const link = new IssuerLink(world, this.process, model, onSend);
    const send = sabotage.send?.(link, this.process);
    const connector = send ? { send, close: () => link.close() } : link;
    const { bulkhead = (whole: Bulkhead) => whole } = sabotage;
    const issuer = createGuardedIssuer({
      id,
      connector,
      settings: { errorPercent: 50, minimumCalls: options.minimumCalls, windowMs: 10_000, openMs: options.openMs },
      clock: this.process.clock,
      onStateChange: state => {
        world.sometimes(`breaker ${state}`);
        world.note(this.process.name, `breaker of ${id} is ${state}`);
      },
    });
    return {
      id,
      issuer,
      inFlight: bulkhead(createBulkhead(options.maxInFlight)),
      deliveries: createBulkhead(options.deliveriesMost),
      timeoutMs: () => options.timeoutMs,
      maxProcessingMs: options.maxProcessingMs,
      remembersMs: options.remembersMs - options.maxProcessingMs,
    };
  }
}

const linesOf = (lines: readonly IssuerLine[]): IssuerLines => ({
  get: id => lines.find(line => line.id === id),
  all: () => lines,
});

/** Who may call is not what is simulated: the bearer is the number of the client. */
function siteOf(options: Options, as: Sabotage['client']): Site {
  const clients = Array.from({ length: options.clients }, (_, index) => clientOf(index, options.budgetMs));
  const apis = new Set(APIS.map(row => row.name));
  return {
    authenticate: async ({ authorization }) => {
      const sent = Number(authorization?.reveal());
      const client = clients[as?.(sent) ?? sent];
      if (!client) throw new Error('a client that is not there');
      return { client, apis };
    },
    permit: () => {},
    open: async (_client, body) => body,
    sealFor: () => undefined,
    routes: PARTICIPANTS.map((participant, index) => ({
      participant: participant as ParticipantId,
      cardPrefix: '',
      issuer: `issuer-${issuerOf(index, options.issuers)}` as IssuerId,
    })),
    retentionHours: RETENTION_HOURS,
  };
}

const clientOf = (index: number, budgetMs: number): ClientConfig => ({
  id: clientIdOf(index),
  participants: new Set(PARTICIPANTS as readonly string[] as readonly ParticipantId[]),
  product: 'prepaid',
  scopes: new Set(APIS.map(row => row.name)),
  access: { kind: 'bearer', tokenSha256: [] },
  payload: 'plain',
  allowFrom: undefined,
  budgetMs,
  timestampToleranceSeconds: 0,
  ratePerSecond: 0,
});
