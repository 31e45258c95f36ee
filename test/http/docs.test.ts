/**
 * The description of the API as HTTP: what is served under which address, what browsers may do with it and may keep, and
 * that nothing else can be had there. The page itself is looked at in `docsPage.test.ts`.
 */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openDocs } from '../../src/http/docs.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Stage, startStage } from './stage.ts';
import { exchange, Wire } from './wire.ts';

const OPENAPI = '{"openapi":"3.1.0"}';

const openapi = async () => OPENAPI;
const start = async (page = true): Promise<Stage> => startStage({ docs: await openDocs({ openapi, page }) });

type Ask = { readonly method?: string; readonly headers?: Readonly<Record<string, string>> };
const textOf = (target: string, { method = 'GET', headers = {} }: Ask = {}): string => {
  const lines = Object.entries({ Host: 'gateway.example', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
};
const get = async (stage: Stage, target: string, ask?: Ask) => {
  const reply = await exchange(stage.port, textOf(target, ask));
  if (reply === undefined) throw new Error('no answer');
  return reply;
};

/** The head of an answer that need not have a body, and what came of one before the next answer. */
const getHead = async (stage: Stage, target: string, ask: Ask) => {
  const wire = await Wire.open(stage.port);
  wire.send(textOf(target, ask) + textOf('/none'));
  const head = await wire.next('the head', true);
  await waitFor('the next answer', () => wire.received.includes('"12"'));
  const rest = wire.received.slice(0, wire.received.indexOf('HTTP/1.1 404'));
  wire.end();
  return { head, rest };
};

/** The addresses that the page loads, as it has them. */
const loadedBy = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(([, path]) => path ?? '');

describe('the description of the API', () => {
  it('is there for everybody, without any header of ours', async () => {
    const stage = await start();
    const reply = await get(stage, '/openapi.json');
    expect([reply.status, reply.body]).toEqual([200, OPENAPI]);
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    expect(reply.headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
    expect(stage.records).toEqual([]);
  });

  it('is not sent again to whoever has it', async () => {
    const stage = await start();
    const { headers } = await get(stage, '/openapi.json');
    const tag = headers.get('etag') ?? '';
    expect(headers.get('cache-control')).toBe('public, no-cache');
    for (const held of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const { head, rest } = await getHead(stage, '/openapi.json', { headers: { 'If-None-Match': held } });
      expect([head.status, head.headers.get('etag'), rest], held).toEqual([304, tag, '']);
    }
    const other = await get(stage, '/openapi.json', { headers: { 'If-None-Match': '"other"' } });
    expect(other.status).toBe(200);
  });

  it('shows the page with a policy that lets it load nothing from elsewhere and run nothing that is not ours', async () => {
    const stage = await start();
    for (const path of ['/docs', '/docs/']) {
      const { status, headers, body } = await get(stage, path);
      const policy = headers.get('content-security-policy') ?? '';
      expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(policy).not.toMatch(/unsafe|\*|http/);
      expect(body).not.toMatch(/<script>|<style|https?:/);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('lets browsers keep what the page loads, under addresses that change with it', async () => {
    const stage = await start();
    const paths = loadedBy((await get(stage, '/docs')).body);
    expect(paths).toHaveLength(4);
    for (const path of paths) {
      const { status, headers, body } = await get(stage, path);
      expect([path, status]).toEqual([path, 200]);
      expect(path).toMatch(/^\/docs\/[0-9a-f]{16}\/[a-z-]+\.(js|css)$/);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(body.length).toBeGreaterThan(50);
    }
  });
});

describe('what is asked for', () => {
  it('is compressed for those who can read that, under a tag of its own', async () => {
    const stage = await start();
    const plain = await get(stage, '/openapi.json');
    const accepting = { headers: { 'Accept-Encoding': 'br;q=1.0, gzip;q=0.8' } };
    const { head, rest } = await getHead(stage, '/openapi.json', accepting);
    const { headers } = head;
    expect([headers.get('content-encoding'), headers.get('vary')]).toEqual(['gzip', 'Accept-Encoding']);
    expect(headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect(gunzipSync(Buffer.from(rest, 'latin1')).toString()).toBe(OPENAPI);
    const refused = await get(stage, '/openapi.json', { headers: { 'Accept-Encoding': 'gzip;q=0' } });
    expect(refused.headers.has('content-encoding')).toBe(false);
  });

  it.each(['/docs/../package.json', '/docs/%2e%2e/%2e%2e/package.json', '/docs/..%2fpackage.json', '/docs/index.html'])(
    'is never a path in the file system: %s',
    async target => {
      const stage = await start();
      expect((await get(stage, target)).status).toBe(404);
    },
  );

  it('is none of the other files of the packages that it is made of', async () => {
    const stage = await start();
    const [path = ''] = loadedBy((await get(stage, '/docs')).body);
    const folder = path.slice(0, path.lastIndexOf('/'));
    for (const name of ['', 'package.json', 'swagger-initializer.js', 'swagger-ui-bundle.js.map', '../page.js']) {
      expect((await get(stage, `${folder}/${name}`)).status, name).toBe(404);
    }
  });

  it('can be asked for its head alone, and with no other method', async () => {
    const stage = await start();
    const { head, rest } = await getHead(stage, '/openapi.json', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), rest]).toEqual([200, String(OPENAPI.length), '']);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const headers = { 'Content-Length': '0' };
      expect((await get(stage, '/docs', { method, headers })).status).toBe(404);
    }
  });
});

describe('the document', () => {
  it('is not made before anybody asks for it, and then once', async () => {
    let made = 0;
    const counting = async () => {
      made += 1;
      return OPENAPI;
    };
    const stage = await startStage({ docs: await openDocs({ openapi: counting, page: false }) });
    expect(made).toBe(0);
    const asked = Array.from({ length: 3 }, () => get(stage, '/openapi.json'));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(made).toBe(1);
  });

  it('that could not be made is a defect, and is tried again when it is next asked for', async () => {
    let tries = 0;
    const failing = async () => {
      tries += 1;
      if (tries === 1) throw new Error('for the test');
      return OPENAPI;
    };
    const stage = await startStage({ docs: await openDocs({ openapi: failing, page: false }) });
    expect((await get(stage, '/openapi.json')).status).toBe(500);
    expect(stage.defects).toHaveLength(1);
    expect((await get(stage, '/openapi.json')).status).toBe(200);
  });
});

it('a file that has grown beyond all bounds is not served: the gateway does not start', async () => {
  const opening = openDocs({ openapi, page: true, fileBytesMax: 100_000 });
  await expect(opening).rejects.toThrow(/^swagger-ui.css has more than 100000 bytes$/);
});

describe('what is switched off is not there', () => {
  it('the page alone', async () => {
    const stage = await start(false);
    expect((await get(stage, '/openapi.json')).status).toBe(200);
    expect((await get(stage, '/docs')).status).toBe(404);
  });

  it('both', async () => {
    const stage = await startStage();
    expect((await get(stage, '/openapi.json')).status).toBe(404);
    expect((await get(stage, '/docs')).status).toBe(404);
  });
});
