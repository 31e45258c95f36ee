/**
 * What peers are loaded with, one row each, and how such a load becomes requests. All send the same Purchase, of about 290
 * bytes, each with an id that no other has, in as many callers' names as there are tokens; a replay is the one exception.
 */
import { readFileSync } from 'node:fs';
import { accessTokens } from './accessTokens.ts';
import { idOf } from './ids.ts';
import { preparePool } from './pool.ts';
import type { Credentials, Load, LoadRequest, LoadRow, OauthClient, TemplateBody } from './types.ts';

const PATH = '/tranmgr/purchase';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const JOSE_TYPE = { 'Content-Type': 'application/jose' };
const MS = 1000;
/** Tokens of each client of OAuth: 64 in all. */
const TOKENS_PER_CLIENT = 16;
/** Something that no id and no field has, to cut the message at. */
const CUT = '~';

/** The message around its id. `now` gives its date. */
export function purchaseAround(participantId: string, now: Date): { readonly before: string; readonly after: string } {
  const [date = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  const text = JSON.stringify({
    participantId,
    tranBranch: '0001',
    tranChnl: '08',
    tranDate: date,
    tranTime: time,
    tranId: CUT,
    cardToken: 'bench-card-0000001',
    tranAmount: '12.50',
    tranCurrency: '840',
    merchantId: '000000000012345',
    merchantCategoryCode: '5462',
    systemTraceNo: '000001',
  });
  const [before = '', after = ''] = text.split(CUT);
  return { before, after };
}

const purchase = ({ participantId }: Credentials, ids: TemplateBody['ids']): TemplateBody => ({
  kind: 'template',
  ...purchaseAround(participantId, new Date()),
  ids,
});

const opaqueCallers = ({ bearerClients }: Credentials): Load['callers'] =>
  bearerClients.flatMap(({ tokens }, client) => tokens.map(token => ({ authorization: `Bearer ${token}`, client })));

const ofPayload = ({ oauthClients }: Credentials, payload: OauthClient['payload']): readonly OauthClient[] =>
  oauthClients.filter(client => client.payload === payload);

/** Callers whose tokens the peer has just issued, of as many clients as have this payload. */
async function jwtCallers(url: string, clients: readonly OauthClient[]): Promise<Load['callers']> {
  const tokens = await Promise.all(clients.map(client => accessTokens(url, client, TOKENS_PER_CLIENT)));
  return tokens.flatMap((each, client) => each.map(token => ({ authorization: `Bearer ${token}`, client })));
}

export const LOADS = {
  bearer: {
    what: 'opaque tokens, plain Purchase',
    build: async ({ credentials }) => ({
      name: 'bearer',
      path: PATH,
      headers: JSON_TYPE,
      callers: opaqueCallers(credentials),
      body: purchase(credentials, 'fresh'),
    }),
  },
  replay: {
    what: 'opaque tokens, the same Purchase of each client again and again',
    build: async ({ credentials }) => ({
      name: 'replay',
      path: PATH,
      headers: JSON_TYPE,
      callers: opaqueCallers(credentials),
      body: purchase(credentials, 'replayed'),
    }),
  },
  jwt: {
    what: 'access tokens of OAuth (JWT), plain Purchase',
    build: async ({ credentials }, { url }) => ({
      name: 'jwt',
      path: PATH,
      headers: JSON_TYPE,
      callers: await jwtCallers(url, ofPayload(credentials, 'plain')),
      body: purchase(credentials, 'fresh'),
    }),
  },
  jwe: {
    what: 'access tokens of OAuth (JWT), Purchase and answer encrypted (JWE)',
    build: async ({ credentials, dir }, { url }, requestsMost) => ({
      name: 'jwe',
      path: PATH,
      headers: JOSE_TYPE,
      callers: await jwtCallers(url, ofPayload(credentials, 'encrypted')),
      body: await preparePool(credentials, dir, requestsMost, id => {
        const { before, after } = purchaseAround(credentials.participantId, new Date());
        return before + id + after;
      }),
    }),
  },
} as const satisfies Record<string, Omit<LoadRow, 'name'>>;

export type LoadName = keyof typeof LOADS;

/** The row with its name, as the engine takes it. */
export const loadRow = (name: LoadName): LoadRow => ({ name, ...LOADS[name] });

/** The messages of a pool; of a template there are none to read. */
export const readLines = ({ body }: Load): readonly string[] =>
  body.kind === 'template' ? [] : linesOf(body.file).slice(0, body.count);

const linesOf = (file: string): string[] =>
  readFileSync(file, 'latin1')
    .split('\n')
    .filter(line => line !== '');

/**
 * The request of this number, counted from 0 over the peer's whole life. `lines`: what `readLines` gave.
 *
 * @throws RangeError where the pool has no more messages: sending one twice would be a replay.
 */
export function requestAt(load: Load, number: number, lines: readonly string[], nowMs: number): LoadRequest {
  const { path, headers, callers } = load;
  const caller = callers[number % callers.length];
  if (!caller) throw new RangeError(`the load ${load.name} has no callers`);
  const timestamp = String(Math.floor(nowMs / MS));
  return {
    method: 'POST',
    path,
    headers: { ...headers, Authorization: caller.authorization, timestamp },
    body: bodyAt(load, number, caller.client, lines),
  };
}

function bodyAt({ body, name }: Load, number: number, client: number, lines: readonly string[]): string {
  if (body.kind === 'template') {
    return body.before + idOf(body.ids === 'fresh' ? number : client) + body.after;
  }
  const line = lines[number];
  if (line === undefined) throw new RangeError(`the load ${name} has no message ${number}`);
  return line;
}
