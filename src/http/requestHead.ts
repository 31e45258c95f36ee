/**
 * The head of a request: its target, the headers that this server reads, and whether it is acceptable as HTTP at all.
 * Headers are taken from the raw list, because Node silently keeps only the first of some that were sent twice.
 */
import type { IncomingMessage } from 'node:http';
import { HEADER_COUNT_MAX } from '../config/limits.ts';
import type { FieldError } from '../domain/refusal.ts';

const READ = [
  'host',
  'authorization',
  'timestamp',
  'idempotency-key',
  'content-type',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'accept-encoding',
  'if-none-match',
] as const;
type HeaderName = (typeof READ)[number];

/** The headers that this server reads; one sent several times holds all values joined by `, ` (RFC 9110, 5.3). */
export type Head = { readonly [Name in HeaderName]?: string };

const isRead = (name: string): name is HeaderName => (READ as readonly string[]).includes(name);

export const headOf = (incoming: IncomingMessage): Head => {
  const head: { [Name in HeaderName]?: string } = {};
  const raw = incoming.rawHeaders;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? '';
    const value = raw[at + 1] ?? '';
    if (!isRead(name)) continue;
    const before = head[name];
    head[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return head;
};

/** `origin-form` of RFC 9112, 3.2.1, with the characters of RFC 3986. */
const ORIGIN_FORM = /^\/(?:[\w\-.~!$&'()*+,;=:@/?]|%[\dA-Fa-f]{2})*$/;

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1']);

/** A name, an IPv4 address or an IPv6 address in brackets, perhaps with a port (RFC 9110, 7.2). */
const HOST = /^(?:[\w\-.~]+|\[[\dA-Fa-f:.]+\])(?::\d{0,5})?$/;

/**
 * What is wrong with the request as HTTP, before anything is looked at; undefined when it is fine. A message of HTTP/1.0
 * that is sent in chunks has no certain end (RFC 9112, 6.1).
 */
export const headError = (incoming: IncomingMessage, head: Head): FieldError | undefined => {
  if (incoming.rawHeaders.length > 2 * HEADER_COUNT_MAX) {
    return { field: 'headers', reason: `must be at most ${HEADER_COUNT_MAX}` };
  }
  // Node takes a head that claims to be HTTP/0.9 or HTTP/2.0 for one of HTTP/1; whatever stands before us may not.
  if (!VERSIONS.has(incoming.httpVersion)) return { field: 'request', reason: 'must be HTTP/1.1 or HTTP/1.0' };
  if (incoming.httpVersion === '1.0' && head['transfer-encoding'] !== undefined) {
    return { field: 'transfer-encoding', reason: 'must be absent in HTTP/1.0' };
  }
  // A list of hosts, as two Host headers make one, is no host.
  if (head.host === undefined || !HOST.test(head.host))
    return { field: 'host', reason: 'must be one host, perhaps with a port' };
  if (!ORIGIN_FORM.test(incoming.url ?? '')) return { field: 'target', reason: 'must be a path, perhaps with a query' };
  return undefined;
};

/** The hops of all `X-Forwarded-For` lines, in the order sent. An empty hop stays one: it hides an address. */
export const forwardedHops = (head: Head): readonly string[] => {
  const value = head['x-forwarded-for'];
  return value === undefined ? [] : value.split(',').map(hop => hop.trim());
};

/**
 * All that Hono's adapter gets to see of the headers. The real host has been checked and is of no further use; this one
 * keeps the adapter from rejecting rarer forms of it.
 */
export const ROUTED_HEADERS = { host: 'gateway' };
