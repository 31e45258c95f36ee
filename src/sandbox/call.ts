/**
 * The command `npm run call`: sends one call as the demo client of a running sandbox and prints the exchange.
 */
import { parseArgs } from 'node:util';
import { APIS } from '../catalogue/apis.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { callMessage, type Fields, typedApi, typedFields, UsageError } from './callMessage.ts';
import { type DemoClient, readCredentials } from './demoClient.ts';
import { exchange, type Outgoing, showIncoming, showOutgoing } from './exchange.ts';

export type CallOptions = {
  /** `SANDBOX_DIR`. */
  readonly sandboxDir: string;
  readonly clock: Clock;
  readonly random: Random;
};

const USAGE = `Usage: npm run call -- API [name=value ...] [--repeat] [--tran-id ID] [--to URL]

Sends one call as the demo client of the running sandbox and prints the exchange. Header fields are filled in; a card
that is not named is the first demo card. Exit code 0: every answer was HTTP 200.

  npm run call -- Purchase tranAmount=12.50 tranCurrency=840
  npm run call -- Purchase tranAmount=12.50 tranCurrency=840 --repeat
  npm run call -- BalanceInquiry

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
    if (values.oauth)
      throw new UsageError('OAuth is not in this version: the demo client calls with its bearer token.');
    const [api, ...words] = positionals;
    if (values.help || api === undefined) {
      print(USAGE);
      return values.help ? 0 : 2;
    }
    const row = typedApi(api);
    const typed = typedFields(row, words);
    const client = await readCredentials(options.sandboxDir);
    const outgoing = prepare({ row, typed, values }, client, options);
    return await send(outgoing, values.repeat ? 2 : 1, options.clock, print);
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

function prepare(
  { row, typed, values }: { readonly row: ApiRow; readonly typed: Fields; readonly values: Typed },
  client: DemoClient,
  { clock, random }: CallOptions,
): Outgoing {
  const tranId = values['tran-id'] ?? typed.tranId ?? random.id();
  const body = callMessage(
    row,
    { ...typed, tranId },
    { participantId: client.participantId, cardToken: client.cardToken, tranId, nowMs: clock.wallMs() },
  );
  return {
    url: new URL(baseOf(values.to, client.baseUrl) + row.path),
    token: client.token,
    clientId: client.clientId,
    tranId,
    timestamp: String(Math.trunc(clock.wallMs())),
    body: new Secret(body),
  };
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

async function send(outgoing: Outgoing, times: number, clock: Clock, print: (text: string) => void): Promise<number> {
  let code = 0;
  for (let sent = 0; sent < times; sent += 1) {
    print(sent === 0 ? showOutgoing(outgoing) : '\nThe same again:');
    const incoming = await exchange(outgoing, clock).catch((error: unknown) => failure(outgoing, error));
    if (typeof incoming === 'string') {
      print(`\n${incoming}`);
      return 1;
    }
    print(`\n${showIncoming(incoming)}`);
    if (incoming.status !== 200) code = 1;
  }
  return code;
}

function failure({ url }: Outgoing, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return `Nothing listens at ${url.origin}: start the sandbox with npm start.`;
  return `No answer from ${url.origin}: ${error instanceof Error ? error.message : 'the connection failed'}.`;
}
