/** Networks, hosts and addresses: one spelling, one meaning. */
import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopback, parseBaseUrl, parseCidr, parseHost, parseHostPort } from '../../src/config/addresses.ts';
import { Fault } from '../../src/config/fault.ts';

describe('networks', () => {
  test.for([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.7/32', '192.0.2.7/32'],
    ['192.0.2.128/25', '192.0.2.128/25'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['fe80::/10', 'fe80::/10'],
    ['2001:db8:0:0:0:0:0:1/128', '2001:db8:0:0:0:0:0:1/128'],
    ['64:ff9b::192.0.2.0/120', '64:ff9b::192.0.2.0/120'],
  ])('%s', ([text = '', cidr]) => expect(parseCidr(text)).toBe(cidr));

  test.for([
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/8 ',
    ' 10.0.0.0/8',
    '010.0.0.1/32',
    '0x0a.0.0.1',
    '10.1',
    '10.0.0.1/8',
    '192.0.2.129/25',
    '256.0.0.1',
    '::/129',
    '2001:db8::1/32',
    'fe80::1%eth0',
    'fe80::%1/64',
    '::ffff:10.0.0.1/128',
    '::ffff:0:0/96',
    '[::1]/128',
    'localhost',
    '1::2::3',
    '10.0.0.0/255.0.0.0',
    '１0.0.0.0/8',
  ])('S14 refused: %j', text => expect(parseCidr(text)).toBeInstanceOf(Fault));

  test('what is accepted is what Node understands by it', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, fc.nat(128), (text, length) => {
        const cidr = parseCidr(`${text}/${length}`);
        if (cidr instanceof Fault) return;
        const list = new BlockList();
        list.addSubnet(text, length, isIPv4(text) ? 'ipv4' : 'ipv6');
        expect(list.check(text, isIPv4(text) ? 'ipv4' : 'ipv6')).toBe(true);
      }),
    );
  });

  test('every single address is a network of one', () => {
    const mapped = /^[0:]*ffff:/i;
    fc.assert(
      fc.property(fc.ipV4(), text => {
        expect(parseCidr(text)).toBe(`${text}/32`);
      }),
    );
    fc.assert(
      fc.property(
        fc.ipV6().filter(text => !mapped.test(text)),
        text => {
          expect(parseCidr(text)).toBe(`${text}/128`);
        },
      ),
    );
  });
});

describe('hosts', () => {
  test.for(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.0.3', '::1', '0:0:0:0:0:0:0:1'])('loopback: %s', host =>
    expect(isLoopback(host)).toBe(true),
  );
  test.for(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost.example', '127.0.0.1.example', '::2', '1', ''])(
    'not loopback: %s',
    host => expect(isLoopback(host)).toBe(false),
  );
  test.for(['a', 'a-b.example', 'redis_1', '10.0.0.1', '::1', 'bank.example.'])('a host: %s', host =>
    expect(parseHost(host)).toBe(host),
  );
  test.for([
    '',
    ' ',
    'a b',
    '[::1]',
    '1.2.3',
    '127.1',
    '-a',
    'a..b',
    'fe80::1%lo',
    'a/b',
    'a:1',
    'ä.example',
    'a'.repeat(254),
  ])('not a host: %j', host => expect(parseHost(host)).toBeInstanceOf(Fault));

  test('with ports', () => {
    expect(parseHostPort('a:1', 9)).toEqual({ host: 'a', port: 1 });
    expect(parseHostPort('a', 9)).toEqual({ host: 'a', port: 9 });
    expect(parseHostPort('[::1]:1', 9)).toEqual({ host: '::1', port: 1 });
    for (const text of ['', ':1', 'a:', 'a:0', 'a:65536', 'a:1:2', '::1:1', '[a]:1', 'a:x', '[::1', 'a:123456']) {
      expect(parseHostPort(text, 9), text).toBeUndefined();
    }
  });
});

describe('base addresses', () => {
  test.for([
    ['https://a.example', 'https://a.example'],
    ['https://a.example/', 'https://a.example'],
    ['HTTPS://A.example:443/x//', 'https://a.example/x'],
    ['http://[::1]:7070/x', 'http://[::1]:7070/x'],
  ])('%s', ([text = '', url]) => expect(parseBaseUrl(text)).toBe(url));
  test.for([
    '',
    'a.example',
    '//a.example',
    'https://',
    'file:///x',
    'https://u@a',
    'https://:p@a',
    'https://a/?',
    'https://a/#',
    'https://a/?x=1',
  ])('refused: %j', text => expect(parseBaseUrl(text)).toBeInstanceOf(Fault));
});
