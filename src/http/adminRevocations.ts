/**
 * Revocation on the admin port: takes a client, or one access token by its `jti`, back before its time. Only JSON is
 * taken, and nothing that a web page has sent, so that a browser on the operator's machine is no way in.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Revocation } from '../journal/journal.ts';

export type AdminRevocations = {
  /** `unwritten`: it holds in this process, and everywhere as soon as the journal can be reached. */
  readonly revoke: (
    kind: Revocation['kind'],
    id: string,
  ) => Promise<'revoked' | 'unwritten' | 'noSuchClient' | 'tooMany'>;
  /** All that is revoked; undefined where the journal does not tell. */
  readonly list: () => Promise<readonly Revocation[] | undefined>;
};

/** Two short members. */
const BODY_BYTES_MAX = 4096;
/** As long as a `jti` of ours may be, and longer than any client's id. */
const ID = /^[\x21-\x7e]{1,128}$/;
const JSON_TYPE = /^application\/json(?:[ \t]*;.*)?$/i;

/** Headers that browsers put on what a page sends, and that a page can neither set nor leave out (Fetch standard). */
const BY_PAGES = ['origin', 'sec-fetch-site'] as const;
const FROM_A_PAGE = { error: 'not for web pages' } as const;

const ENDS = {
  unwritten: [503, 'the journal is away: it holds in this process now, and elsewhere as soon as the journal is back'],
  noSuchClient: [404, 'no client of the configuration has this id'],
  tooMany: [409, 'too many are revoked already: remove the client from the configuration, or replace the signing key'],
} as const;

/** The routes below `/admin/revocations`. */
export const revocationRoutes = (revocations: AdminRevocations): Hono => {
  const app = new Hono();
  app.use(async (context, next) => {
    // A page whose name was rebound to this address counts as ours; but browsers say that it was a page.
    if (BY_PAGES.some(name => context.req.header(name) !== undefined)) return context.json(FROM_A_PAGE, 403);
    return next();
  });
  const onError = (context: Context) => bad(context, `the body must be at most ${BODY_BYTES_MAX} bytes`);
  app.post('/', bodyLimit({ maxSize: BODY_BYTES_MAX, onError }), async context => {
    if (!JSON_TYPE.test(context.req.header('content-type') ?? '')) {
      return bad(context, 'the content-type must be application/json');
    }
    const asked = readRevocation(await context.req.text());
    if (typeof asked === 'string') return bad(context, asked);
    const end = await revocations.revoke(asked.kind, asked.id);
    if (end === 'revoked') return context.body(null, 204);
    const [status, error] = ENDS[end];
    return context.json({ error }, status);
  });
  app.get('/', async context => {
    const list = await revocations.list();
    if (!list) return context.json({ error: 'the journal is away' }, 503);
    const shown = list.map(({ kind, id, untilMs }) => ({ kind, id, until: new Date(untilMs).toISOString() }));
    return context.json({ revocations: shown });
  });
  return app;
};

const bad = (context: Context, error: string): Response => context.json({ error }, 400);

/** What is asked for, or what is wrong with it. */
const readRevocation = (text: string): Pick<Revocation, 'kind' | 'id'> | string => {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the body must be a JSON object';
  const { kind, id, ...others }: { kind?: unknown; id?: unknown } = value;
  if (Object.keys(others).length > 0) return 'the body has members other than kind and id';
  if (kind !== 'client' && kind !== 'jti') return 'kind must be client or jti';
  if (typeof id !== 'string' || !ID.test(id)) return 'id must be 1 to 128 characters, without spaces';
  return { kind, id };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
