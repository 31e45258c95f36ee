/**
 * What the operator's endpoints of the admin port have in common: only JSON is taken, and nothing that a web page has
 * sent, so that a browser on the operator's machine is no way in.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';

/** A few short members. */
const BODY_BYTES_MAX = 4096;
const JSON_TYPE = /^application\/json(?:[ \t]*;.*)?$/i;

/** Headers that browsers put on what a page sends, and that a page can neither set nor leave out (Fetch standard). */
const BY_PAGES = ['origin', 'sec-fetch-site'] as const;
const FROM_A_PAGE = { error: 'not for web pages' } as const;

export const bad = (context: Context, error: string): Response => context.json({ error }, 400);

/** Routes that no web page can call. */
export const operatorRoutes = (): Hono => {
  const app = new Hono();
  app.use(async (context, next) => {
    // A page whose name was rebound to this address counts as ours; but browsers say that it was a page.
    if (BY_PAGES.some(name => context.req.header(name) !== undefined)) return context.json(FROM_A_PAGE, 403);
    return next();
  });
  return app;
};

/** Stands before whatever reads a body. */
export const smallBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: context => bad(context, `the body must be at most ${BODY_BYTES_MAX} bytes`),
});

export type Members = Readonly<Record<string, unknown>>;

/** The JSON object that was sent, or what is wrong with it. */
export const readMembers = async (context: Context): Promise<Members | string> => {
  if (!JSON_TYPE.test(context.req.header('content-type') ?? '')) return 'the content-type must be application/json';
  const text = await textOf(context);
  if (text === undefined) return 'the body must be sent completely';
  const value = parsed(text);
  return isObject(value) ? value : 'the body must be a JSON object';
};

/** Undefined where the sender hung up in the middle, which is no defect of ours. */
const textOf = async (context: Context): Promise<string | undefined> => {
  try {
    return await context.req.text();
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
