/**
 * The description of the API for people and programs: `/openapi.json`, and `/docs`, a page that shows it in a browser.
 * Nearly all gateways run without anybody asking for it, so it is made when it is first asked for, once, from a closed
 * list of files that the start has looked at: no path of a request ever reaches the file system. The page may load what
 * it needs from here and from nowhere else.
 */
import { hash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Reply } from './envelope.ts';

/** One file as it is served. */
type Page = {
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Names these bytes (RFC 9110, 8.8.3), without the quotes. */
  readonly tag: string;
};

/** What a request shows that decides how a page is answered. */
export type PageRequest = { readonly acceptEncoding: string | undefined; readonly ifNoneMatch: string | undefined };

export type Docs = {
  /** Where there may be a page, as routes. */
  readonly paths: readonly string[];
  /**
   * Whole, compressed, or 304 where the caller has it already; undefined where there is none. Rejects where it cannot be
   * made; the next request tries again.
   */
  readonly serve: (path: string, request: PageRequest) => Promise<Reply | undefined>;
};

export type DocsOptions = {
  /** Makes the OpenAPI document, as JSON. */
  readonly openapi: () => Promise<string>;
  /** Whether the page is there as well. */
  readonly page: boolean;
  /** Replaces the most that a file of the page may have. */
  readonly fileBytesMax?: number;
};

export const OPENAPI_PATH = '/openapi.json';
export const DOCS_PATH = '/docs';

/** The page, and what it loads: that is under a name made of its bytes. */
const PAGE_PATHS = [DOCS_PATH, `${DOCS_PATH}/`, `${DOCS_PATH}/:version/:name`] as const;

/** Several times the largest file that there is: what is larger came with another version, and is looked at first. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

const require = createRequire(import.meta.url);
const own = (name: string): URL => new URL(`docsPage/${name}`, import.meta.url);

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** The files of the page, in the order in which it loads them. */
const FILES: readonly { readonly name: string; readonly type: string; readonly file: () => string | URL }[] = [
  { name: 'swagger-ui.css', type: STYLE, file: () => require.resolve('swagger-ui-dist/swagger-ui.css') },
  { name: 'page.css', type: STYLE, file: () => own('page.css') },
  { name: 'swagger-ui-bundle.js', type: SCRIPT, file: () => require.resolve('swagger-ui-dist/swagger-ui-bundle.js') },
  { name: 'page.js', type: SCRIPT, file: () => own('page.js') },
];

/** Nothing but what is here, no frame around it, no form to anywhere. Pictures of the style sheet are `data:`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const GUARDED = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** It may be kept, and is asked about each time. */
const ASK_AGAIN = 'public, no-cache';
/** The path changes with the bytes, so that they are never asked for again (RFC 8246). */
const FOREVER = 'public, max-age=31536000, immutable';

const pageOf = (path: string, body: Uint8Array, type: string, cache: string): Page => ({
  path,
  body,
  tag: hash('sha256', body).slice(0, 32),
  headers: { 'Content-Type': type, 'Cache-Control': cache, ...GUARDED },
});

/** Rejects where a file of the package is missing or has grown beyond all bounds. */
export const openDocs = async ({ openapi, page, fileBytesMax = FILE_BYTES_MAX }: DocsOptions): Promise<Docs> => {
  if (page) await checkFiles(fileBytesMax);
  const description = once(async () =>
    pageOf(OPENAPI_PATH, Buffer.from(await openapi()), 'application/json', ASK_AGAIN),
  );
  const pages = once(loadPage);
  return new MadeDocs(page ? [OPENAPI_PATH, ...PAGE_PATHS] : [OPENAPI_PATH], async path =>
    path === OPENAPI_PATH ? description() : (await pages()).find(one => one.path === path),
  );
};

const checkFiles = async (bytesMax: number): Promise<void> => {
  const files = await Promise.all(FILES.map(({ file }) => stat(file())));
  for (const [index, { size }] of files.entries()) {
    if (size > bytesMax) throw new Error(`${FILES[index]?.name} has more than ${bytesMax} bytes`);
  }
};

/** What it gave is given again; after a failure it is tried anew. */
const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
};

const loadPage = async (): Promise<readonly Page[]> => {
  const bodies = await Promise.all(FILES.map(({ file }) => readFile(file())));
  const version = hash('sha256', Buffer.concat(bodies)).slice(0, 16);
  const files = FILES.map(({ name, type }, index) =>
    pageOf(`${DOCS_PATH}/${version}/${name}`, bodies[index] ?? Buffer.of(), type, FOREVER),
  );
  const html = pageOf(DOCS_PATH, Buffer.from(htmlOf(files)), 'text/html; charset=utf-8', ASK_AGAIN);
  const guarded = { ...html, headers: { ...html.headers, 'Content-Security-Policy': POLICY } };
  return [guarded, { ...guarded, path: `${DOCS_PATH}/` }, ...files];
};

const htmlOf = (files: readonly Page[]): string => {
  const pathsOf = (end: string) => files.map(file => file.path).filter(path => path.endsWith(end));
  const styles = pathsOf('.css').map(path => `<link rel="stylesheet" href="${path}">`);
  const scripts = pathsOf('.js').map(path => `<script src="${path}"></script>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Card authorization gateway: API reference</title>
<link rel="icon" href="data:,">
${styles.join('\n')}
</head>
<body>
<main id="docs"><p>The reference needs JavaScript. The same as a file: <a href="${OPENAPI_PATH}">${OPENAPI_PATH}</a></p></main>
${scripts.join('\n')}
</body>
</html>
`;
};

const gzipped = promisify(gzip);

/** A page is compressed when that is first asked for, and once. */
class MadeDocs implements Docs {
  readonly paths: readonly string[];
  readonly #find: (path: string) => Promise<Page | undefined>;
  readonly #packed = new Map<Page, Promise<Uint8Array>>();

  constructor(paths: readonly string[], find: (path: string) => Promise<Page | undefined>) {
    this.paths = paths;
    this.#find = find;
  }

  async serve(path: string, { acceptEncoding, ifNoneMatch }: PageRequest): Promise<Reply | undefined> {
    const page = await this.#find(path);
    if (!page) return undefined;
    const packs = takesGzip(acceptEncoding);
    const tag = packs ? `"${page.tag}-gzip"` : `"${page.tag}"`;
    const headers = { ...page.headers, ETag: tag, Vary: 'Accept-Encoding' };
    const body = packs ? await this.#pack(page) : page.body;
    const sized = { ...headers, 'Content-Length': String(body.byteLength) };
    if (isHeld(tag, ifNoneMatch)) return { status: 304, headers: sized, body: '' };
    return { status: 200, headers: packs ? { ...sized, 'Content-Encoding': 'gzip' } : sized, body };
  }

  #pack(page: Page): Promise<Uint8Array> {
    const packed = this.#packed.get(page) ?? gzipped(page.body);
    this.#packed.set(page, packed);
    return packed;
  }
}

/** Whether the header names gzip without forbidding it (RFC 9110, 12.5.3). */
const takesGzip = (acceptEncoding = ''): boolean =>
  /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?:1|0\.0*[1-9]))/i.test(acceptEncoding);

/** Whether the caller has these bytes: any of its tags, compared weakly (RFC 9110, 13.1.2). */
const isHeld = (tag: string, ifNoneMatch = ''): boolean =>
  ifNoneMatch
    .split(',')
    .map(one => one.trim().replace(/^W\//, ''))
    .some(one => one === tag || one === '*');
