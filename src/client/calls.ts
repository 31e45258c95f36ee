/**
 * One call from its first request to its result: sent again under the same `tranId` while the outcome is open and the
 * limits allow it, and never anywhere but to the sites that were named.
 */
import { APIS } from './apis.ts';
import type { Credentials, Pass } from './credentials.ts';
import type { Http, Received } from './http.ts';
import type { ProvedSite, Settings } from './options.ts';
import { type ApiName, type Outcome, type Refused, type Result, readAnswer, readRefusal, type Wire } from './result.ts';
import { pause, within } from './system.ts';

export type CallLimits = {
  /** The caller waits no longer. What was sent is not taken back by it. */
  readonly signal: AbortSignal | undefined;
  /** Where the first try goes. */
  readonly site: ProvedSite;
};

export type Parts = { readonly settings: Settings; readonly http: Http; readonly credentials: Credentials };

/** What is to be done after a request. */
type Next = 'done' | 'again' | 'renewed' | ProvedSite;
type Tried<Api extends ApiName> = { readonly outcome: Outcome<Api>; readonly next: Next };

/** Sites that stand by for each other lead in a circle. */
const HOPS_MAX = 2;
const BACKOFF_FIRST_MS = 200;
const BACKOFF_MOST_MS = 5000;

const STANDING_BY = 307;
const JOSE = /^application\/jose *(;|$)/i;

export class Call<Api extends ApiName> {
  readonly #api: Api;
  readonly #wire: Wire;
  readonly #parts: Parts;
  readonly #signal: AbortSignal | undefined;
  readonly #endsAt: number;
  #site: ProvedSite;
  #requests = 0;
  #rounds = 1;
  #hops = 0;
  #renewed = false;
  /** Whether a request may have arrived that was never answered. */
  #lost = false;
  #requestId: string | undefined;

  constructor(api: Api, wire: Wire, parts: Parts, { signal, site }: CallLimits) {
    this.#api = api;
    this.#wire = wire;
    this.#parts = parts;
    this.#signal = signal;
    this.#site = site;
    this.#endsAt = parts.settings.clock.monotonicMs() + parts.settings.totalMs;
  }

  /** Never rejects. */
  async run(): Promise<Result<Api>> {
    for (;;) {
      const tried = await this.#try();
      if ('mayHaveHappened' in tried.outcome) this.#lost ||= tried.outcome.mayHaveHappened;
      if (!(await this.#goesOn(tried))) return this.#told(tried.outcome);
    }
  }

  #leftMs(): number {
    return this.#endsAt - this.#parts.settings.clock.monotonicMs();
  }

  /** Gets ready for the next request; false where there is none. */
  async #goesOn({ outcome, next }: Tried<Api>): Promise<boolean> {
    if (next === 'done' || this.#leftMs() <= 0 || this.#signal?.aborted) return false;
    if (next === 'again') return this.#waits('retryAfterMs' in outcome ? (outcome.retryAfterMs ?? 0) : 0);
    if (next === 'renewed') {
      if (this.#renewed) return false;
      this.#renewed = true;
      return true;
    }
    if (this.#hops === HOPS_MAX) return false;
    this.#hops += 1;
    // It stays for the tries that follow: a request that was lost there is asked about there.
    this.#site = next;
    return true;
  }

  async #waits(leastMs: number): Promise<boolean> {
    const { tries, clock, random } = this.#parts.settings;
    if (this.#rounds >= tries || (this.#lost && this.#countsTries())) return false;
    const most = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (this.#rounds - 1));
    const waitMs = Math.max(leastMs, most * random.fraction());
    if (waitMs >= this.#leftMs()) return false;
    await pause(clock, waitMs, this.#signal);
    this.#rounds += 1;
    this.#hops = 0;
    return !this.#signal?.aborted;
  }

  /** Whether each arrival of the message costs the cardholder a try, as nobody remembers the first. */
  #countsTries(): boolean {
    const { once = [] } = APIS[this.#api];
    return once.some(name => Object.hasOwn(this.#wire, name));
  }

  #told(outcome: Outcome<Api>): Result<Api> {
    const { tranId } = this.#wire;
    const facts = { tranId, site: this.#site.baseUrl, tries: this.#requests, requestId: this.#requestId };
    return 'mayHaveHappened' in outcome
      ? { ...outcome, mayHaveHappened: this.#lost, ...facts }
      : { ...outcome, ...facts };
  }

  async #try(): Promise<Tried<Api>> {
    const { settings, credentials } = this.#parts;
    const limits = { ms: Math.min(settings.timeoutMs, this.#leftMs()), signal: this.#signal };
    const pass = await within(settings.clock, credentials.passTo(this.#site), limits);
    if (pass?.kind === 'pass' && !this.#signal?.aborted) return this.#request(pass);
    const { at, code, again } = (pass?.kind === 'missing' && pass) || {
      at: 'token',
      code: this.#signal?.aborted ? 'ABORTED' : 'TIMEOUT',
      again: true,
    };
    return { outcome: { kind: 'unreachable', at, code, mayHaveHappened: false }, next: again ? 'again' : 'done' };
  }

  async #request(pass: Pass): Promise<Tried<Api>> {
    const { settings, http } = this.#parts;
    const { clock, timeoutMs } = settings;
    const text = JSON.stringify(this.#wire);
    const body = pass.envelope ? await pass.envelope.seal(text) : text;
    const headers = {
      authorization: pass.authorization,
      'content-type': pass.envelope ? 'application/jose' : 'application/json',
      timestamp: String(Math.trunc(clock.wallMs())),
      'idempotency-key': this.#wire.tranId,
    };
    const startMs = clock.monotonicMs();
    this.#requests += 1;
    const answer = await http.send(
      { method: 'POST', url: this.#site.baseUrl + APIS[this.#api].path, headers, body },
      { timeoutMs: Math.max(1, Math.min(timeoutMs, this.#leftMs())), signal: this.#signal },
    );
    this.#requestId = answer.kind === 'received' ? (answer.headers.get('x-request-id') ?? undefined) : undefined;
    const tried =
      answer.kind === 'received'
        ? await this.#read(answer, pass)
        : this.#unanswered(answer.code, answer.mayHaveArrived);
    this.#report(tried.outcome, answer.kind === 'received' ? answer.status : undefined, clock.monotonicMs() - startMs);
    return tried;
  }

  #unanswered(code: string, mayHaveHappened: boolean): Tried<Api> {
    return { outcome: { kind: 'unreachable', at: 'answer', code, mayHaveHappened }, next: 'again' };
  }

  async #read(answer: Received, pass: Pass): Promise<Tried<Api>> {
    if (answer.status !== 200) return this.#refused(readRefusal(answer), pass);
    const outcome = readAnswer(this.#api, this.#wire, await plainText(answer, pass), answer.headers);
    if (outcome.kind === 'badAnswer') return this.#unanswered('BAD_ANSWER', true);
    return { outcome, next: outcome.kind === 'inProgress' ? 'again' : 'done' };
  }

  #refused(outcome: Refused, pass: Pass): Tried<Api> {
    return { outcome, next: this.#afterRefusal(outcome, pass) };
  }

  #afterRefusal({ status, errors, location }: Refused, pass: Pass): Next {
    if (status === STANDING_BY) return this.#siteAt(location) ?? 'done';
    if (status === 429 || status >= 500) return 'again';
    if (status === 403) return pass.refused('token') ? 'renewed' : 'done';
    const unopened = status === 400 && errors.some(({ field }) => field === 'body');
    return unopened && pass.refused('envelope') ? 'renewed' : 'done';
  }

  /** The named site that a 307 leads to. */
  #siteAt(location: string | undefined): ProvedSite | undefined {
    const { path } = APIS[this.#api];
    const from = this.#site.baseUrl + path;
    const to = location !== undefined && URL.canParse(location, from) ? new URL(location, from).href : undefined;
    return this.#parts.settings.sites.find(({ baseUrl }) => to === baseUrl + path && to !== from);
  }

  #report(outcome: Outcome<Api>, status: number | undefined, ms: number): void {
    const code = 'answer' in outcome ? outcome.answer.responseCode : undefined;
    const why = outcome.kind === 'unreachable' ? outcome.code : undefined;
    const refused = outcome.kind === 'refused' ? outcome.responseCode : undefined;
    this.#parts.settings.onTry({
      api: this.#api,
      tranId: this.#wire.tranId,
      site: this.#site.baseUrl,
      number: this.#requests,
      ms,
      status,
      code: code ?? why ?? refused,
      requestId: this.#requestId,
    });
  }
}

/** The text of an answer with 200; undefined where it is not in the envelope that it should be in. */
async function plainText({ headers, text }: Received, { envelope }: Pass): Promise<string | undefined> {
  if (!envelope) return text;
  return JOSE.test(headers.get('content-type') ?? '') ? envelope.open(text) : undefined;
}
