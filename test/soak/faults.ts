/**
 * What goes wrong during a soak: the issuer, the way to the store, and the gateways themselves, one at a time, drawn from
 * the seed. Every fault is undone before the next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../simulation/chance.ts';
import type { ChaosProxy, ProxyMode } from '../support/chaosProxy.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { Behaviour } from '../support/issuerScript.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';

export type Site = {
  readonly issuer: ScriptedIssuer;
  readonly gateways: readonly Gateway[];
  /** Before the store; absent where it is a file. */
  readonly store: ChaosProxy | undefined;
};

export type Where = 'issuer' | 'store' | 'gateway';
/** A fault as it was: seconds since the start of the run. */
export type Mark = { readonly name: string; readonly where: Where; readonly from: number; readonly to: number };

const ISSUER: Readonly<Record<string, Behaviour>> = {
  hang: { kind: 'hang' },
  'hang, done': { kind: 'hangAfterEffect' },
  reset: { kind: 'resetBeforeEffect' },
  'reset, done': { kind: 'resetAfterEffect' },
  garbage: { kind: 'garbage' },
  'garbage, not done': { kind: 'garbage', effect: false },
  'wrong echo': { kind: 'wrongEcho' },
  'wrong amount': { kind: 'wrongAmount' },
  'half a body': { kind: 'halfBody' },
  'no body': { kind: 'emptyBody' },
  'status 500': { kind: 'status', status: 500 },
  'status 503, not done': { kind: 'status', status: 503, effect: false },
  'status 429': { kind: 'status', status: 429 },
  'code 96': { kind: 'code', code: '96' },
  'unknown code': { kind: 'unknownCode' },
  late: { kind: 'late', ms: 1800 },
  slow: { kind: 'late', ms: 300 },
  huge: { kind: 'huge', bytes: 700_000 },
  drip: { kind: 'drip', bytes: 60, everyMs: 100 },
  declines: { kind: 'decline', code: '05' },
};
const STORE: Readonly<Record<string, ProxyMode>> = {
  refuses: { kind: 'refuse' },
  'black hole': { kind: 'blackHole' },
  'replies held': { kind: 'holdReplies' },
  'replies lost': { kind: 'loseReplies' },
  'replies cut': { kind: 'cutReplies', bytes: 2000 },
  'requests cut': { kind: 'cutRequests', bytes: 3000 },
  slow: { kind: 'delay', ms: 40 },
};
const GATEWAY = ['kill -9', 'SIGTERM', 'SIGHUP', 'freeze'] as const;

/** A gateway that starts on a busy machine. */
const READY_MS = 90_000;

export class Faults {
  readonly marks: Mark[] = [];
  readonly #site: Site;
  readonly #chance: Chance;
  readonly #now: () => number;
  #stopped = false;

  /** @param now seconds since the start of the run. */
  constructor(site: Site, chance: Chance, now: () => number) {
    this.#site = site;
    this.#chance = chance;
    this.#now = now;
  }

  /** One fault after the other, until `stop`. From `calmFrom` on, in seconds, no gateway is ended any more. */
  async run(calmFrom: number): Promise<void> {
    while (!this.#stopped) {
      await sleep(this.#chance.between(400, 2000));
      if (this.#stopped) return;
      const from = this.#now();
      const [where, name] = await this.#one(from < calmFrom);
      this.marks.push({ name, where, from, to: this.#now() });
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #one(mayEnd: boolean): Promise<readonly [Where, string]> {
    const { store } = this.#site;
    const where = this.#chance.weighted({ issuer: 6, store: store ? 3 : 0, gateway: mayEnd ? 2 : 1 });
    if (where === 'gateway') return [where, await this.#atGateway(mayEnd)];
    return [where, where === 'store' && store ? await this.#atStore(store) : await this.#atIssuer()];
  }

  #lasts(): Promise<void> {
    return sleep(this.#chance.between(800, 4000));
  }

  async #atIssuer(): Promise<string> {
    const name = this.#chance.pick(Object.keys(ISSUER));
    const behaviour = ISSUER[name] ?? { kind: 'answer' };
    const share = this.#chance.between(0.2, 0.9);
    // An undo that is declined is parked for an operator, and here is none.
    const where = ({ tranId }: { readonly tranId: string }) =>
      this.#chance.hits(share) && !(behaviour.kind === 'decline' && tranId.startsWith('RV'));
    this.#site.issuer.script('*', behaviour, { where });
    await this.#lasts();
    this.#site.issuer.heal();
    return name;
  }

  async #atStore(store: ChaosProxy): Promise<string> {
    const name = this.#chance.pick(Object.keys(STORE));
    await store.mode(STORE[name] ?? 'pass');
    await this.#lasts();
    await store.mode('pass');
    return name;
  }

  async #atGateway(mayEnd: boolean): Promise<string> {
    const gateway = this.#chance.pick(this.#site.gateways);
    const name = mayEnd ? this.#chance.pick(GATEWAY) : 'SIGHUP';
    if (name === 'SIGHUP') gateway.sighup();
    if (name === 'freeze') {
      gateway.sigstop();
      await this.#lasts();
      gateway.sigcont();
    }
    if (name === 'kill -9' || name === 'SIGTERM') {
      if (name === 'SIGTERM') await gateway.sigterm(READY_MS);
      await gateway.restart(false);
      await gateway.untilReady(READY_MS);
    }
    return name;
  }
}
