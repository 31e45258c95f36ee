/**
 * A client of the gateway: says who it is, fills in the header, seals and opens payloads, and keeps asking under the same
 * `tranId` until the outcome is known or its limits are reached. It throws for what is wrong with the program; whatever
 * becomes of a call is a value.
 */
import { APIS } from './apis.ts';
import { Call, type Parts } from './calls.ts';
import { credentialsOf } from './credentials.ts';
import { httpOver } from './http.ts';
import { type ClientOptions, type ProvedSite, settingsOf } from './options.ts';
import type { ApiName, Message, Result, Wire } from './result.ts';

export type { Jwk } from './crypto.ts';
export type { Fields } from './fields.ts';
export type { Fetch } from './http.ts';
export type { ClientOptions, HeaderDefaults, OauthOptions, Site, Try } from './options.ts';
export type { Requests } from './requests.ts';
export type { Responses } from './responses.ts';
export type {
  ApiName,
  Approved,
  DeclineCode,
  Declined,
  Facts,
  FieldError,
  InProgress,
  Message,
  Refused,
  ResponseCode,
  Result,
  Unreachable,
} from './result.ts';
export type { Clock, Random } from './system.ts';

export type CallOptions = {
  /** Ends the waiting, not the transaction: the result says whether it may have happened. */
  readonly signal?: AbortSignal;
  /**
   * The base URL of the named site that is asked first, in place of the first one: the `site` of the result whose call is
   * repeated, or whose transaction is reversed.
   */
  readonly site?: string;
};

export interface Client {
  /**
   * Makes one call and waits for its result. To repeat a call whose outcome is open, give its `tranId` in the message.
   *
   * @throws TypeError for an API or a site that is not known, or an id that can be no `tranId`
   */
  call<Api extends ApiName>(api: Api, message: Message<Api>, options?: CallOptions): Promise<Result<Api>>;
}

/**
 * Makes a client. Nothing is asked of the gateway before the first call.
 *
 * @throws TypeError naming the option and the rule that it breaks, never its value
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const settings = settingsOf(options);
  const http = httpOver(settings.fetch, settings.clock);
  return new GatewayClient({ settings, http, credentials: await credentialsOf(options, settings, http) });
}

const TRAN_ID = /^[A-Za-z0-9_-]{1,32}$/;

class GatewayClient implements Client {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async call<Api extends ApiName>(api: Api, message: Message<Api>, options: CallOptions = {}): Promise<Result<Api>> {
    if (!Object.hasOwn(APIS, api)) throw new TypeError('there is no such API');
    const limits = { signal: options.signal, site: this.#siteNamed(options.site) };
    return new Call(api, this.#wireOf(api, message), this.#parts, limits).run();
  }

  #siteNamed(baseUrl: string | undefined): ProvedSite {
    const { sites } = this.#parts.settings;
    const named = baseUrl === undefined ? sites[0] : sites.find(site => site.baseUrl === baseUrl.replace(/\/+$/, ''));
    if (!named) throw new TypeError('site must be the baseUrl of one of sites');
    return named;
  }

  /** The whole message: the header, filled in where the message does not say it, and the fields of the API. */
  #wireOf(api: ApiName, message: Readonly<Record<string, unknown>>): Wire {
    const { header, clock, random } = this.#parts.settings;
    const { tellerNo, terminalNo } = header;
    const now = new Date(clock.wallMs()).toISOString();
    // A field without a value is not there: JSON would leave it out, too.
    const own = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
    const { participantId = header.participantId, tranId = random.id() } = own;
    if (typeof participantId !== 'string') throw new TypeError('participantId must be a string');
    if (typeof tranId !== 'string' || !TRAN_ID.test(tranId)) {
      throw new TypeError('tranId must be 1 to 32 of A-Z, a-z, 0-9, - and _');
    }
    const filled = {
      participantId,
      tranBranch: header.tranBranch,
      tranChnl: header.tranChnl,
      tranCode: api,
      tranDate: now.slice(0, 10).replaceAll('-', ''),
      tranTime: now.slice(11, 19).replaceAll(':', ''),
      tranId,
      ...(tellerNo === undefined ? {} : { tellerNo }),
      ...(terminalNo === undefined ? {} : { terminalNo }),
    };
    return { ...filled, ...own, participantId, tranId };
  }
}
