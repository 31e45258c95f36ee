/**
 * The command `npm run call`: sends one call as the demo client of a running sandbox and prints the exchange.
 */
import { parseArgs } from 'node:util';
import { APIS } from '../catalogue/apis.ts';
import type { ApiRow } from '../catalogue/row.ts';
import {
  type ApiName,
  type Client,
  type ClientOptions,
  createClient,
  type Message,
  type Result,
  type Site,
} from '../client/client.ts';
import { isTranId } from '../domain/ids.ts';
import type { WireFields } from '../domain/message.ts';
import { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { callMessage, typedApi, typedFields, UsageError } from './callMessage.ts';
import { type DemoClient, readCredentials, readPrivateKey } from './demoClient.ts';
import { type Outgoing, type Shown, ShownWire, shortened, showCall, showIncoming } from './exchange.ts';
import { showKeysRequest, showTokenRequest } from './oauthSession.ts';

export type CallOptions = {
  /** `SANDBOX_DIR`. */
  readonly sandboxDir: string;
  readonly clock: Clock;
  readonly random: Random;
};

const USAGE = `Usage: npm run call -- API [name=value ...] [--oauth] [--repeat] [--tran-id ID] [--to URL] [--site URL ...]

Sends one call as the demo client of the running sandbox and prints the exchange. Header fields are filled in; a card
that is not named is the first demo card. Exit code 0: every answer was HTTP 200.

  npm run call -- Purchase tranAmount=12.50 tranCurrency=840
  npm run call -- Purchase tranAmount=12.50 tranCurrency=840 --repeat
  npm run call -- BalanceInquiry
  npm run call -- --oauth Purchase tranAmount=12.50 tranCurrency=840
  npm run call -- CardLimitSetting posFlag=Y recordList='[{"cardLimitType":"PD","limitCount":"5"}]'
  npm run call -- TokenRequest expiryDate=3101 CVV2=123 useCaseIndicator=HCE,QRC cvm=otp

  --oauth       call as the OAuth client: signed assertion, access token, encrypted payloads; every step is shown
  --repeat      send the same call twice: the second answer comes from the journal
  --tran-id ID  the tranId, instead of a new one
  --to URL      another gateway than the sandbox's; without a path the sandbox's base path is added
  --site URL    a site that a 307 may lead to; may be given several times
  --help        this text

APIs: ${APIS.map(row => row.name).join(', ')}`;

const OPTIONS = {
  repeat: { type: 'boolean' },
  'tran-id': { type: 'string' },
  to: { type: 'string' },
  site: { type: 'string', multiple: true },
  oauth: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/**
 * Runs the command.
 *
 * @param argv the words after `npm run call --`
 * @returns the exit code: 0 when every answer was HTTP 200, 1 when not or when there was none, 2 for a wrong command
 */
export async function runCall(
  argv: readonly string[],
  options: CallOptions,
  print: (text: string) => void,
): Promise<number> {
  try {
    const { values, positionals } = typedWords(argv);
    const [api, ...words] = positionals;
    if (values.help || api === undefined) {
      print(USAGE);
      return values.help ? 0 : 2;
    }
    const row = typedApi(api);
    const typed = typedFields(row, words);
    const client = await readCredentials(options.sandboxDir);
    return await new DemoCall({ row, typed, values, client, options, print }).run();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(error.message);
    return 2;
  }
}

type Typed = ReturnType<typeof typedWords>['values'];

function typedWords(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // Node's own sentence names the flag, and nothing else that was typed.
    throw new UsageError(`${error instanceof Error ? error.message : 'That is no command'}\n\n${USAGE}`);
  }
}

type DemoCallParts = {
  readonly row: ApiRow;
  readonly typed: WireFields;
  readonly values: Typed;
  readonly client: DemoClient;
  readonly options: CallOptions;
  readonly print: (text: string) => void;
};

/** Longer than any budget that a gateway gives a caller. */
const TIMEOUT_MS = 30_000;

/** One run of the command: the client is the public one, and the wire shows what it does. */
class DemoCall {
  readonly #parts: DemoCallParts;
  readonly #message: Secret<WireFields>;
  readonly #wire: ShownWire;
  readonly #site: Site;
  /** Of the same call made once more, only the answer is shown. */
  #again = false;

  constructor(parts: DemoCallParts) {
    this.#parts = parts;
    this.#message = messageOf(parts);
    const { clock } = parts.options;
    this.#wire = new ShownWire({ clock, print: parts.print, show: outgoing => this.#show(outgoing) });
    this.#site = this.#firstSite();
  }

  async run(): Promise<number> {
    const { values, row, print } = this.#parts;
    const client = await this.#client();
    let code = 0;
    for (let sent = 0; sent < (values.repeat ? 2 : 1); sent += 1) {
      this.#again = sent > 0;
      if (this.#again) print('\nThe same again:');
      // Whether the fields are right is the gateway's to say: showing that is what the command is for.
      const message = this.#message.reveal() as unknown as Message<ApiName>;
      const result = await client.call(row.name as string as ApiName, message);
      if (!this.#shows(result)) code = 1;
      if (result.kind === 'unreachable') break;
    }
    return code;
  }

  async #client(): Promise<Client> {
    const { values, client, options } = this.#parts;
    const { participantId } = (values.oauth && client.oauth) || client;
    const sites = (values.site ?? []).map(url => baseOf(url, client.baseUrl, '--site'));
    const common = {
      sites: [this.#site, ...sites],
      header: { participantId, tranBranch: '000001', tranChnl: '08' },
      timeoutMs: TIMEOUT_MS,
      totalMs: TIMEOUT_MS * 2,
      // One try, so that whoever watches sees what it brings.
      tries: 1,
      fetch: this.#wire.fetch,
      // The sandbox is for trying things out, wherever it is.
      dangerouslyAllowPlaintext: true,
      clock: options.clock,
      random: options.random,
    } as const;
    const made: ClientOptions = values.oauth
      ? { ...common, oauth: await oauthOptions(client) }
      : { ...common, bearer: client.token.reveal() };
    return createClient(made).catch((error: unknown) => {
      throw error instanceof TypeError ? new UsageError(`That cannot be called: ${error.message}.`) : error;
    });
  }

  /** The gateway that is called first. Another address is another way to the same one, whose identifier stays the same. */
  #firstSite(): Site {
    const { client, values } = this.#parts;
    const { baseUrl, oauth } = client;
    const base = baseOf(values.to, baseUrl, '--to');
    if (!oauth) return { baseUrl: base };
    const tokenEndpoint = values.to === undefined ? oauth.tokenEndpoint : new URL(oauth.tokenEndpoint.pathname, base);
    const keysUrl = new URL('/oauth2/jwks', tokenEndpoint);
    return { baseUrl: base, issuer: oauth.issuer, tokenEndpoint: tokenEndpoint.href, keysUrl: keysUrl.href };
  }

  #show(outgoing: Outgoing): Shown {
    const path = new URL(outgoing.url).pathname;
    const { values, client } = this.#parts;
    if (outgoing.method === 'GET') return showKeysRequest(outgoing);
    if (!path.endsWith(this.#parts.row.path)) return showTokenRequest(outgoing);
    const token = (outgoing.headers.authorization ?? '').replace(/^Bearer /, '');
    const tokenShown = values.oauth ? shortened(token) : `[token of ${client.clientId}]`;
    const text = showCall(outgoing, { tokenShown, body: this.#message });
    return { outgoing: this.#again ? undefined : (values.oauth ? '4. ' : '') + text, incoming: showIncoming };
  }

  /** Prints what came of it; tells whether it was an answer with HTTP 200. */
  #shows(result: Result<ApiName>): boolean {
    const { print, values } = this.#parts;
    const isAnswer = 'answer' in result;
    const status = this.#wire.flush(values.oauth && isAnswer ? JSON.stringify(result.answer) : undefined);
    if (isAnswer) return true;
    if (result.kind === 'unreachable' && this.#wire.silentUrl) print(`\n${failure(this.#wire.silentUrl, result.code)}`);
    else if (status === 200 && result.kind === 'unreachable' && result.at === 'answer') {
      print(values.oauth ? '\nThat is no envelope that our key opens.' : '\nThat is no answer to this call.');
    }
    return false;
  }
}

function messageOf({ row, typed, values, client, options: { clock, random } }: DemoCallParts): Secret<WireFields> {
  const { participantId } = (values.oauth && client.oauth) || client;
  const given = values['tran-id'] ?? typed.tranId;
  const tranId = typeof given === 'string' ? given : random.id();
  if (!isTranId(tranId)) throw new UsageError('A tranId must be 1 to 32 of A-Z, a-z, 0-9, - and _.');
  const defaults = { participantId, cardToken: client.cardToken, tranId, nowMs: clock.wallMs() };
  return new Secret(callMessage(row, { ...typed, tranId }, defaults));
}

async function oauthOptions({ oauth }: DemoClient): Promise<NonNullable<ClientOptions['oauth']>> {
  if (!oauth) throw new UsageError('credentials.json has no OAuth client: start the sandbox anew with npm start.');
  const { clientId, scope, signingKeyFile, decryptionKeyFile } = oauth;
  const [signingKey, decryptionKeys] = [await readPrivateKey(signingKeyFile), await readPrivateKey(decryptionKeyFile)];
  return { clientId, scope, signingKey, decryptionKeys };
}

/** The base URL to call, without a slash at its end. A URL without a path gets that of `baseUrl`. */
export function baseOf(to: string | undefined, baseUrl: string, flag: string): string {
  if (to === undefined) return baseUrl;
  const url = URL.parse(to);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${flag} takes a URL such as http://127.0.0.1:8080/card-api.`);
  }
  const path = url.pathname === '/' ? new URL(baseUrl).pathname : url.pathname;
  return url.origin + path.replace(/\/+$/, '');
}

function failure(url: string, code: string): string {
  const { origin } = new URL(url);
  if (code === 'ECONNREFUSED') return `Nothing listens at ${origin}: start the sandbox with npm start.`;
  return `No answer from ${origin}: ${code === 'TIMEOUT' ? `none in ${TIMEOUT_MS} ms` : code}.`;
}
