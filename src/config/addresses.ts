/**
 * Addresses as the configuration writes them: networks, hosts, base addresses. Spellings that readers of one address
 * could take for different ones (`010.0.0.1`, zones, IPv4 inside IPv6) are refused rather than interpreted.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Cidr, HostPort } from './config.ts';
import { Fault } from './fault.ts';

const CIDR_MEND = 'write an IPv4 or IPv6 network such as 10.1.0.0/16 or "2001:db8::/32"';
const IPV4_BITS = 32;
const IPV6_BITS = 128;

const fromParts = (parts: readonly number[], bitsEach: number): bigint =>
  parts.reduce((value, part) => (value << BigInt(bitsEach)) | BigInt(part), 0n);

const ipv4Bits = (address: string): bigint => fromParts(address.split('.').map(Number), 8);

/** The 16-bit groups of one side of `::`; an IPv4 address at the end gives two. */
const groups = (side: string): readonly number[] =>
  side
    .split(':')
    .filter(group => group !== '')
    .flatMap(group => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const bits = ipv4Bits(group);
      return [Number(bits >> 16n), Number(bits & 0xffffn)];
    });

const ipv6Bits = (address: string): bigint => {
  const [left = '', right] = address.split('::');
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return fromParts([...head, ...zeros, ...tail], 16);
};

const MAPPED_IPV4 = 0xffffn;
const isMapped = (bits: bigint): boolean => bits >> 32n === MAPPED_IPV4;

const bitsOf = (address: string): { readonly bits: bigint; readonly size: number } | undefined => {
  // Node refuses leading zeros in IPv4 but takes a zone in IPv6.
  if (isIPv4(address)) return { bits: ipv4Bits(address), size: IPV4_BITS };
  if (!isIPv6(address) || address.includes('%')) return undefined;
  return { bits: ipv6Bits(address), size: IPV6_BITS };
};

/** Proves a network, or a single address, which becomes a network of one. */
export const parseCidr = (text: string): Cidr | Fault => {
  const [address = '', length, ...more] = text.split('/');
  const known = bitsOf(address);
  if (known === undefined || more.length > 0) return new Fault('is not a network address', CIDR_MEND);
  const { bits, size } = known;
  if (size === IPV6_BITS && isMapped(bits)) return new Fault('is an IPv4 address inside IPv6', 'write it as IPv4');
  if (length !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(length)) return new Fault('has no valid length', CIDR_MEND);
  const prefix = length === undefined ? size : Number(length);
  if (prefix > size) return new Fault(`has a length over ${size}`, CIDR_MEND);
  const host = bits & ((1n << BigInt(size - prefix)) - 1n);
  if (host !== 0n) return new Fault('has bits set beyond its length', 'set them to zero, or make the length longer');
  return `${address}/${prefix}` as Cidr;
};

/** Whether the network is the whole address space. */
export const isEveryone = (cidr: Cidr): boolean => cidr.endsWith('/0');

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$/;

/** Proves the name or address of a host; IPv6 without brackets. */
export const parseHost = (text: string): string | Fault => {
  const numeric = /^[0-9.]+$/.test(text);
  const good = numeric ? isIPv4(text) : HOST_NAME.test(text) || (isIPv6(text) && !text.includes('%'));
  return good ? text : new Fault('is not a host name or an IP address', 'write a name, or an address without brackets');
};

/** Whether what is sent to this host never leaves the machine. */
export const isLoopback = (host: string): boolean => {
  if (host.toLowerCase() === 'localhost') return true;
  const known = bitsOf(host);
  if (known === undefined) return false;
  return known.size === IPV4_BITS ? known.bits >> 24n === 127n : known.bits === 1n;
};

/** Proves `host`, `host:port` or `[ipv6]:port`. */
export const parseHostPort = (text: string, portDefault: number): HostPort | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name, digits] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6)) return undefined;
  const host = ipv6 ?? name ?? '';
  const port = digits === undefined ? portDefault : Number(digits);
  return parseHost(host) instanceof Fault || port < 1 || port > 65_535 ? undefined : { host, port };
};

const URL_MEND = 'write https://host:port/path';

/** Proves an http or https address to which paths are appended; the slash at its end is dropped. */
export const parseBaseUrl = (text: string): string | Fault => {
  const url = URL.parse(text);
  if (url === null) return new Fault('is not an address', URL_MEND);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return new Fault('is not http or https', URL_MEND);
  if (url.username !== '' || url.password !== '') {
    return new Fault('holds a user name or a password', 'remove it; credentials have keys of their own');
  }
  if (/[?#]/.test(text)) return new Fault('has a query or a fragment', `remove it; ${URL_MEND}`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
};

/** Proves an http or https address that is used exactly as its owner spells it. */
export const parseExactUrl = (text: string): string | Fault => {
  const proved = parseBaseUrl(text);
  return proved instanceof Fault ? proved : text;
};

/**
 * Proves our own identifier (RFC 8414, 2), to which the paths of our endpoints are appended as it stands. It has no path:
 * metadata of an identifier with one is looked for below `/.well-known/...` followed by that path (3.1), and ours is at
 * the root.
 */
export const parseOwnIdentifier = (text: string): string | Fault => {
  if (text.endsWith('/')) return new Fault('ends with a slash', 'write it without; clients compare it exactly');
  const proved = parseExactUrl(text);
  if (proved instanceof Fault || /^[^:]+:\/\/[^/\\]+$/.test(text)) return proved;
  return new Fault('has a path', 'write https://host:port alone; our addresses of OAuth are at the root');
};

/** Whether messages to this address travel in the clear over a network. */
export const isPlaintextBeyondLoopback = (baseUrl: string): boolean => {
  const url = new URL(baseUrl);
  return url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
};
