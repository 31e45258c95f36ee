/**
 * Addresses and networks as text: which are inside, and which spellings are not addresses at all.
 */
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AllowList, callerAddress, callerNetwork, parseAddress } from '../../src/edge/allowList.ts';
import { cidrs } from './clients.ts';

const holds = (list: readonly string[], address: string): boolean => {
  const parsed = parseAddress(address);
  return parsed !== undefined && new AllowList(cidrs(...list)).holds(parsed);
};

describe('S14: what is an address', () => {
  it.each([
    '',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '010.0.0.1',
    '10.0.0.01',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1.2',
    '10.0.0.1:80',
    '10.0.0.1/32',
    '0x0a000001',
    '167772161',
    '10.0.0.1\n',
    '１０.0.0.1',
    '::1%lo',
    'fe80::1%eth0',
    '[::1]',
    '[::1]:80',
    '::1/128',
    ':::1',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::ffff:010.0.0.1',
    '::ffff:1.2.3',
    'g::',
    'localhost',
    'unknown',
    '_hidden',
    '__proto__',
  ])('"%s" is none', text => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each([
    ['10.1.2.3', '::ffff:10.1.2.3'],
    ['10.1.2.3', '::FFFF:a01:203'],
    ['10.1.2.3', '0:0:0:0:0:ffff:10.1.2.3'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['2001:db8::1', '2001:0DB8:0:0::0001'],
    ['1:2:3:4:5:6:102:304', '1:2:3:4:5:6:1.2.3.4'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['::', '0::0'],
  ])('%s and %s are the same', (one, other) => {
    expect(parseAddress(one)).toBeDefined();
    expect(parseAddress(other)).toEqual(parseAddress(one));
  });

  it('the IPv4-compatible form, long deprecated, is not the IPv4 address', () => {
    expect(parseAddress('::10.1.2.3')).not.toEqual(parseAddress('10.1.2.3'));
  });
});

describe('S13: networks', () => {
  it.each([
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/8'], '9.255.255.255', false],
    [['192.168.1.128/25'], '192.168.1.127', false],
    [['192.168.1.128/25'], '192.168.1.128', true],
    [['192.168.1.7/32'], '192.168.1.7', true],
    [['192.168.1.7/32'], '192.168.1.6', false],
    [['0.0.0.0/0'], '255.255.255.255', true],
    [['0.0.0.0/0'], '::1', false],
    [['::/0'], '10.1.2.3', false],
    [['::/0'], '::ffff:10.1.2.3', false],
    [['::/0'], '2001:db8::', true],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['::1/128'], '::1', true],
    [['::1/128'], '::2', false],
    [['2001:db8::/33'], '2001:db8:7fff::', true],
    [['2001:db8::/33'], '2001:db8:8000::', false],
    [[], '127.0.0.1', false],
    [['10.0.0.0/8', '127.0.0.0/8'], '127.0.0.1', true],
  ])('%j holds %s: %s', (list, address, expected) => {
    expect(holds(list, address)).toBe(expected);
  });

  it.each(['', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/x', '10.0.0.0/1.5', 'x/8', '::/129', '/8'])(
    'a list with "%s" cannot be made',
    text => {
      expect(() => new AllowList(cidrs(text))).toThrow(RangeError);
    },
  );

  it('agrees with another implementation on every address near every network', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map(parts => parts.join('.'));
    fc.assert(
      fc.property(octets, fc.nat(32), fc.nat(31), fc.boolean(), (address, length, bit, mapped) => {
        const flipped = (Number(parseAddress(address)?.bits ?? 0n) ^ (1 << bit)) >>> 0;
        const near = [24, 16, 8, 0].map(shift => (flipped >>> shift) & 255).join('.');
        const oracle = new BlockList();
        oracle.addSubnet(address, length, 'ipv4');
        const asked = mapped ? `::ffff:${near}` : near;
        expect(holds([`${address}/${length}`], asked)).toBe(oracle.check(near, 'ipv4'));
      }),
    );
  });

  it('agrees with another implementation on IPv6', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.nat(128), (network, address, length) => {
        const oracle = new BlockList();
        oracle.addSubnet(network, length, 'ipv6');
        const parsed = parseAddress(address);
        // The oracle takes mapped addresses for both families at once; here they are IPv4 alone.
        fc.pre(parsed?.family === 6 && parseAddress(network)?.family === 6);
        expect(holds([`${network}/${length}`], address)).toBe(oracle.check(address, 'ipv6'));
        expect(holds([`${address}/${length}`], address)).toBe(true);
      }),
    );
  });
});

describe('S14: whose address counts', () => {
  const trusted = new AllowList(cidrs('10.0.0.0/8', '::1/128'));
  const caller = (peer: string, ...hops: string[]) => callerAddress(peer, hops, trusted);

  it.each([
    ['an untrusted peer, whatever it says', '9.9.9.9', ['1.1.1.1'], '9.9.9.9'],
    ['a trusted peer that says nothing', '10.0.0.1', [], '10.0.0.1'],
    ['what a trusted peer says', '10.0.0.1', ['1.1.1.1'], '1.1.1.1'],
    ['the last it says', '10.0.0.1', ['1.1.1.1', '2.2.2.2'], '2.2.2.2'],
    ['what the trusted one before it says', '10.0.0.1', ['1.1.1.1', '2.2.2.2', '10.0.0.2'], '2.2.2.2'],
    ['garbage left of what counts does not matter', '10.0.0.1', ['x', '', '2.2.2.2'], '2.2.2.2'],
    ['all trusted: the first', '10.0.0.1', ['10.0.0.9', '10.0.0.2'], '10.0.0.9'],
    ['a mapped peer', '::ffff:10.0.0.1', ['1.1.1.1'], '1.1.1.1'],
    ['an IPv6 peer', '::1', ['2001:db8::7'], '2001:db8::7'],
  ])('%s', (_what, peer, hops, expected) => {
    expect(caller(peer, ...hops)).toEqual(parseAddress(expected));
  });

  it.each([
    ['a peer that is gone', '', []],
    ['garbage from a trusted peer', '10.0.0.1', ['1.1.1.1', 'x']],
    ['an empty hop', '10.0.0.1', ['1.1.1.1', '']],
    ['garbage behind a trusted hop', '10.0.0.1', ['1.1.1.1:80', '10.0.0.2']],
  ])('nobody knows: %s', (_what, peer, hops) => {
    expect(caller(peer, ...hops)).toBeUndefined();
  });

  it('no hop counts that an untrusted one could have written', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string());
    fc.assert(
      fc.property(fc.array(address), fc.array(address), fc.ipV4(), (forged, other, real) => {
        fc.pre(!holds(['10.0.0.0/8'], real));
        expect(caller('10.0.0.1', ...forged, real)).toEqual(caller('10.0.0.1', ...other, real));
      }),
    );
  });
});

describe('the network that one caller has', () => {
  const network = (peer: string, ...hops: readonly string[]) =>
    callerNetwork(peer, hops, new AllowList(cidrs('10.0.0.0/8')));

  it.each([
    ['one IPv4 address, however it is written', ['1.2.3.4'], ['::ffff:1.2.3.4'], true],
    ['another IPv4 address', ['1.2.3.4'], ['1.2.3.5'], false],
    ['an IPv6 subnet', ['2001:db8::1'], ['2001:db8::ffff:1:2:3'], true],
    ['another IPv6 subnet', ['2001:db8::1'], ['2001:db8:0:1::1'], false],
    ['what a trusted proxy says', ['10.0.0.1', '1.2.3.4'], ['1.2.3.4'], true],
    ['what anybody else says', ['1.2.3.4', '5.6.7.8'], ['1.2.3.4'], true],
    ['a proxy that says garbage', ['10.0.0.1', 'x'], ['10.0.0.1', 'y'], true],
    ['another proxy that says garbage', ['10.0.0.1', 'x'], ['10.0.0.2', 'x'], false],
  ] as const)('F85: %s', (_, [peer, ...hops], [otherPeer, ...otherHops], same) => {
    expect(network(peer, ...hops) === network(otherPeer, ...otherHops)).toBe(same);
  });
});
