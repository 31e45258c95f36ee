/**
 * Revocation on the admin port: takes a client, its tokens of before some time, or one access token by its `jti`, back
 * before its time, and gives a client back.
 */
import type { Context, Hono } from 'hono';
import type { Shown, ShownLists } from '../journal/revoked.ts';
import { bad, type Members, operatorRoutes, readMembers, smallBody } from './operatorRequest.ts';

/** What is to be revoked. `issuedBefore`, in milliseconds since 1970: not the client, but its tokens of before then. */
export type RevokeAsked =
  | { readonly kind: 'client'; readonly id: string; readonly issuedBefore?: number | 'now' | undefined }
  | { readonly kind: 'jti'; readonly id: string };

/** `unwritten`: it holds in this process, and everywhere as soon as the journal can be reached. */
export type RevokeEnd = 'done' | 'unwritten' | 'tooMany' | 'noSuchClient' | 'noTokens' | 'future' | 'over';

export type AdminRevocations = {
  readonly revoke: (asked: RevokeAsked) => Promise<RevokeEnd>;
  /** Lifts what holds against a client as a whole, and nothing else: the tokens that it had before stay revoked. */
  readonly lift: (client: string) => Promise<'done' | 'unwritten' | 'tooMany' | 'notRevoked'>;
  /** All that is revoked or was lifted; undefined where the journal does not tell. */
  readonly list: () => Promise<ShownLists | undefined>;
  /** The name by which the log knows a token. */
  readonly digestOf: (jti: string) => string;
};

/** As long as a `jti` of ours may be, and longer than any client's id. */
const ID = /^[\x21-\x7e]{1,128}$/;
/** RFC 3339, in UTC. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

const ENDS = {
  unwritten: [503, 'the journal is away: ask for the list, and repeat this once the journal is back'],
  noSuchClient: [404, 'no client of the configuration has this id'],
  noTokens: [
    400,
    'this client has no tokens of ours: leave issuedBefore out, or replace its token in the configuration',
  ],
  future: [400, 'issuedBefore must not lie in the future; write now for this moment'],
  over: [400, 'every token that was issued before issuedBefore has ended already'],
  notRevoked: [404, 'this client is not revoked'],
  tooMany: [409, 'too many are revoked already: remove the client from the configuration, or replace the signing key'],
} as const;
const HOLDS_HERE = 'the journal is away: it holds in this process now, and elsewhere as soon as the journal is back';
const NOT_LIFTED =
  'a token that was revoked stays revoked; its client gets a new one. Only a client: DELETE /admin/revocations/client/ID';

/** The routes below `/admin/revocations`. */
export const revocationRoutes = (revocations: AdminRevocations): Hono => {
  const app = operatorRoutes();
  app.post('/', smallBody, async context => {
    const members = await readMembers(context);
    const asked = typeof members === 'string' ? members : readRevocation(members);
    if (typeof asked === 'string') return bad(context, asked);
    const end = await revocations.revoke(asked);
    return end === 'unwritten' ? context.json({ error: HOLDS_HERE }, 503) : ended(context, end);
  });
  app.delete('/client/:id', async context => ended(context, await revocations.lift(context.req.param('id'))));
  app.delete('/*', context => bad(context, NOT_LIFTED));
  app.get('/', async context => {
    const list = await revocations.list();
    return list ? context.json(listOf(list, revocations)) : context.json({ error: 'the journal is away' }, 503);
  });
  return app;
};

const ended = (context: Context, end: 'done' | keyof typeof ENDS): Response => {
  if (end === 'done') return context.body(null, 204);
  const [status, error] = ENDS[end];
  return context.json({ error }, status);
};

const listOf = ({ revoked, lifted }: ShownLists, { digestOf }: Pick<AdminRevocations, 'digestOf'>): object => ({
  revocations: revoked.map(({ kind, id, issuedBeforeMs, untilMs }: Shown) => ({
    ...{ kind, id },
    ...(kind === 'jti' ? { digest: digestOf(id) } : {}),
    ...(issuedBeforeMs === undefined ? {} : { issuedBefore: instant(issuedBeforeMs) }),
    until: instant(Math.ceil(untilMs / 1000) * 1000),
  })),
  lifted: lifted.map(({ id, atMs }) => ({ kind: 'client', id, at: instant(atMs) })),
});

const instant = (ms: number): string => new Date(ms).toISOString();

/** What is asked for, or what is wrong with it. */
const readRevocation = ({ kind, id, issuedBefore, ...others }: Members): RevokeAsked | string => {
  if (Object.keys(others).length > 0) return 'the body has members other than kind, id and issuedBefore';
  if (kind !== 'client' && kind !== 'jti') return 'kind must be client or jti';
  if (typeof id !== 'string' || !ID.test(id)) return 'id must be 1 to 128 characters, without spaces';
  if (issuedBefore === undefined) return { kind, id };
  if (kind === 'jti') return 'issuedBefore goes with a client, not with a single token';
  const moment = momentOf(issuedBefore);
  return moment === undefined
    ? 'issuedBefore must be now, or a time such as 2026-01-31T12:00:00Z'
    : { kind, id, issuedBefore: moment };
};

const momentOf = (value: unknown): number | 'now' | undefined => {
  if (value === 'now') return value;
  if (typeof value !== 'string' || !MOMENT.test(value)) return undefined;
  const ms = Date.parse(value);
  // The 30th of February is parsed as some day in March.
  return !Number.isNaN(ms) && instant(ms).startsWith(value.slice(0, 19)) ? ms : undefined;
};
