/**
 * The command `npm run call`: sends one call as the demo client of a running sandbox and prints the exchange.
 */
import { parseArgs } from 'node:util';
import { APIS } from '../catalogue/apis.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { Secret } from '../domain/secret.ts';
import { codeOf } from '../keys/keyFiles.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { callMessage, type Fields, typedApi, typedFields, UsageError } from './callMessage.ts';
import { type DemoClient, readCredentials } from './demoClient.ts';
import { exchange, isEnvelope, type Outgoing, shortened, showIncoming, showOutgoing } from './exchange.ts';
import { type OauthClient, openAnswer, sealFor } from './oauthClient.ts';
import { openSession } from './oauthSession.ts';

export type CallOptions = {
  /** `SANDBOX_DIR`. */
  readonly sandboxDir: string;
  readonly clock: Clock;
  readonly random: Random;
};

const USAGE = `Usage: npm run call -- API [name=value ...] [--oauth] [--repeat] [--tran-id ID] [--to URL]

Sends one call as the demo client of the running sandbox and prints the exchange. Header fields are filled in; a card
that is not named is the first demo card. Exit code 0: every answer was HTTP 200.

  npm run call -- Purchase tranAmount=12.50 tranCurrency=840
  npm run call -- Purchase tranAmount=12.50 tranCurrency=840 --repeat
  npm run call -- BalanceInquiry
  npm run call -- --oauth Purchase tranAmount=12.50 tranCurrency=840

  --oauth       call as the OAuth client: signed assertion, access token, encrypted payloads; every step is shown
  --repeat      send the same call twice: the second answer comes from the journal
  --tran-id ID  the tranId, instead of a new one
  --to URL      another gateway than the sandbox's; without a path the sandbox's base path is added
  --help        this text

APIs: ${APIS.map(row => row.name).join(', ')}`;

const OPTIONS = {
  repeat: { type: 'boolean' },
  'tran-id': { type: 'string' },
  to: { type: 'string' },
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
    const call = messageOf({ row, typed, values }, client, options);
    const plan = values.oauth
      ? await overOauth(call, oauthClientFor(values.to, call.url, client), options, print)
      : withBearer(call, client);
    return plan ? await send(plan, values.repeat ? 2 : 1, options.clock, print) : 1;
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

/** The call as it will be made, whoever makes it. */
type PlannedCall = Pick<Outgoing, 'url' | 'tranId' | 'timestamp' | 'body'>;

function messageOf(
  { row, typed, values }: { readonly row: ApiRow; readonly typed: Fields; readonly values: Typed },
  client: DemoClient,
  { clock, random }: CallOptions,
): PlannedCall {
  const tranId = values['tran-id'] ?? typed.tranId ?? random.id();
  const { participantId } = (values.oauth && client.oauth) || client;
  const defaults = { participantId, cardToken: client.cardToken, tranId, nowMs: clock.wallMs() };
  return {
    url: new URL(baseOf(values.to, client.baseUrl) + row.path),
    tranId,
    timestamp: String(Math.trunc(clock.wallMs())),
    body: new Secret(callMessage(row, { ...typed, tranId }, defaults)),
  };
}

/** What is sent, and what reads the answer where it comes in an envelope. */
type Plan = {
  readonly title: string;
  readonly outgoing: Outgoing;
  readonly open: (jwe: string) => Promise<string | undefined>;
};

const withBearer = (call: PlannedCall, { clientId, token }: DemoClient): Plan => ({
  title: '',
  outgoing: { ...call, token, tokenShown: `[token of ${clientId}]` },
  open: async () => undefined,
});

function oauthClientFor(to: string | undefined, url: URL, { oauth }: DemoClient): OauthClient {
  if (!oauth) throw new UsageError('credentials.json has no OAuth client: start the sandbox anew with npm start.');
  // Another address is another way to the same gateway: its identifier, for which the assertion is, stays the same.
  return to === undefined ? oauth : { ...oauth, tokenEndpoint: new URL(oauth.tokenEndpoint.pathname, url) };
}

/** Undefined where there is no token or no key; why has been printed. */
async function overOauth(
  call: PlannedCall,
  client: OauthClient,
  { clock, random }: CallOptions,
  print: (text: string) => void,
): Promise<Plan | undefined> {
  const session = await openSession(client, { clock, random, print }).catch((error: unknown) => {
    if (error instanceof UsageError) throw error;
    print(`\n${failure(client.tokenEndpoint, error)}`);
    return undefined;
  });
  if (!session) return undefined;
  const jwe = await sealFor(session.gatewayKey, JSON.stringify(call.body.reveal()));
  const outgoing = { ...call, token: session.token, tokenShown: shortened(session.token.reveal()), jwe };
  return { title: '4. ', outgoing, open: text => openAnswer(client, text) };
}

/** The base URL to call, without a slash at its end. */
function baseOf(to: string | undefined, baseUrl: string): string {
  if (to === undefined) return baseUrl;
  const url = URL.parse(to);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('--to takes a URL such as http://127.0.0.1:8080/card-api.');
  }
  const path = url.pathname === '/' ? new URL(baseUrl).pathname : url.pathname;
  return url.origin + path.replace(/\/+$/, '');
}

async function send(
  { title, outgoing, open }: Plan,
  times: number,
  clock: Clock,
  print: (text: string) => void,
): Promise<number> {
  let code = 0;
  for (let sent = 0; sent < times; sent += 1) {
    print(sent === 0 ? title + showOutgoing(outgoing) : '\nThe same again:');
    const incoming = await exchange(outgoing, clock).catch((error: unknown) => failure(outgoing.url, error));
    if (typeof incoming === 'string') {
      print(`\n${incoming}`);
      return 1;
    }
    const opened = isEnvelope(incoming) ? await open(incoming.text) : undefined;
    print(`\n${showIncoming(incoming, opened)}`);
    const isSealed = outgoing.jwe === undefined || opened !== undefined;
    if (incoming.status === 200 && !isSealed) print('\nThat is no envelope that our key opens.');
    if (incoming.status !== 200 || !isSealed) code = 1;
  }
  return code;
}

function failure({ origin }: URL, error: unknown): string {
  const code = codeOf(error) ?? '';
  if (code === 'ECONNREFUSED') return `Nothing listens at ${origin}: start the sandbox with npm start.`;
  return `No answer from ${origin}: ${error instanceof Error ? error.message : 'the connection failed'}.`;
}
