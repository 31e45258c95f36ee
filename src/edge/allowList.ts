/**
 * Where a call comes from, and whether that is allowed. Addresses are compared as numbers, never as text, and an IPv4
 * address is the same however it is written: an IPv4-mapped IPv6 one (RFC 4291, 2.5.5.2) counts as IPv4.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Cidr } from '../config/config.ts';

export type Address = { readonly family: 4 | 6; readonly bits: bigint };

const BITS = { 4: 32, 6: 128 } as const;
const MAPPED_PREFIX = 0xffffn;
const IPV4_MASK = 0xffff_ffffn;
/** A subnet of IPv6 has 64 bits (RFC 4291, 2.5.1), and each of its hosts may take any address of it. */
const SUBNET_SHIFT = 64n;

/**
 * An address in its one strict form: four decimal octets without leading zeros, or IPv6 text (RFC 4291, 2.2). Ports,
 * zones, brackets and blanks are not part of an address. Undefined where the text is anything else.
 */
export const parseAddress = (text: string): Address | undefined => {
  if (isIPv4(text)) return { family: 4, bits: ipv4Bits(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bits = ipv6Bits(text);
  return bits >> 32n === MAPPED_PREFIX ? { family: 4, bits: bits & IPV4_MASK } : { family: 6, bits };
};

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;

const ipv4Bits = (text: string): bigint => {
  let bits = 0;
  let octet = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === DOT) [bits, octet] = [bits * 256 + octet, 0];
    else octet = octet * 10 + unit - DIGIT_ZERO;
  }
  return BigInt(bits * 256 + octet);
};

const ipv6Bits = (text: string): bigint => {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  // The last 32 bits may be written as IPv4: bring them to the same groups as the rest.
  const hex = tail.includes('.') ? text.slice(0, lastColon + 1) + groupsOf(ipv4Bits(tail)) : text;
  const [head = '', rest] = hex.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n);
};

const groupsOf = (bits: bigint): string => `${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}`;

type Network = { readonly family: 4 | 6; readonly shift: bigint; readonly prefix: bigint };

const networkOf = (cidr: Cidr): Network => {
  const slash = cidr.lastIndexOf('/');
  const address = parseAddress(cidr.slice(0, slash));
  const length = Number(cidr.slice(slash + 1));
  if (slash < 0 || !address || !Number.isInteger(length) || length < 0 || length > BITS[address.family]) {
    throw new RangeError('a network of the configuration is not valid');
  }
  const shift = BigInt(BITS[address.family] - length);
  return { family: address.family, shift, prefix: address.bits >> shift };
};

/** A set of networks. Empty, it holds nobody. */
export class AllowList {
  readonly #networks: readonly Network[];

  /** The networks as the configuration proved them. */
  constructor(cidrs: readonly Cidr[]) {
    this.#networks = cidrs.map(networkOf);
  }

  holds(address: Address): boolean {
    return this.#networks.some(
      network => network.family === address.family && address.bits >> network.shift === network.prefix,
    );
  }
}

/**
 * The address of whoever called us: the peer, or, for as long as the one who speaks is a trusted proxy, the hop that it
 * says it heard from, which is the last of `X-Forwarded-For`. Hops to the left of the first untrusted address are
 * hearsay and not looked at. Undefined where a hop that counts is not an address: then nobody knows.
 */
export const callerAddress = (
  peer: string,
  forwardedFor: readonly string[],
  trustedProxies: AllowList,
): Address | undefined => {
  let address = parseAddress(peer);
  for (let at = forwardedFor.length - 1; at >= 0 && address && trustedProxies.holds(address); at -= 1) {
    address = parseAddress(forwardedFor[at] ?? '');
  }
  return address;
};

/**
 * One text for all addresses that one caller has at its disposal: an IPv4 address, or the /64 network of an IPv6 one. What
 * a proxy says that is no address counts as the proxy's own.
 */
export const callerNetwork = (peer: string, forwardedFor: readonly string[], trustedProxies: AllowList): string => {
  const address = callerAddress(peer, forwardedFor, trustedProxies);
  if (!address) return peer;
  return `${address.family} ${address.family === 4 ? address.bits : address.bits >> SUBNET_SHIFT}`;
};
