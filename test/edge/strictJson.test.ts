/**
 * Bytes to an object: everything that `JSON.parse` or a lenient decoder would let pass in silence (S90 to S96, F84, F86).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JSON_LIMITS, readAnyJson, readStrictJson } from '../../src/edge/strictJson.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string) => readStrictJson(bytes(text));
const faultField = (text: string): string | undefined => {
  const reading = read(text);
  return reading.kind === 'fault' ? reading.error.field : undefined;
};

describe('readStrictJson', () => {
  it('reads an object as JSON.parse does', () => {
    const text =
      ' {"a":"1","b":["x",{"c":"\\u00e9\\n\\"\\\\"}],"d":"{[,:]}","e":"😀","f":"\\ud83d\\ude00","g":-1.5e3}\r\n';
    expect(read(text)).toEqual({ kind: 'object', value: JSON.parse(text) });
    expect(read('{}')).toEqual({ kind: 'object', value: {} });
  });

  it.each([
    ['a stray continuation byte', [0x7b, 0x22, 0x80, 0x22, 0x7d]],
    ['an overlong slash', [0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d]],
    ['a cut sequence', [0x7b, 0x22, 0xe2, 0x82, 0x22, 0x7d]],
    ['an encoded surrogate', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]],
    ['past the last code point', [0x7b, 0x22, 0xf5, 0x80, 0x80, 0x80, 0x22, 0x7d]],
    ['Latin-1', [0x7b, 0x22, 0xe9, 0x22, 0x7d]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('S90 refuses %s, and reads the next message all the same', (_, list) => {
    expect(readStrictJson(Uint8Array.from(list))).toEqual({
      kind: 'fault',
      error: { field: 'body', reason: 'must be UTF-8' },
    });
    expect(read('{"a":"1"}').kind).toBe('object');
  });

  it('S90 refuses a byte order mark', () => {
    expect(faultField('\ufeff{}')).toBe('body');
  });

  it.each([
    ['{"a":"1","a":"2"}', 'a'],
    ['{"a":"1","a":"1"}', 'a'],
    ['{"tranAmount":"1","\\u0074ranAmount":"2"}', 'tranAmount'],
    ['{"recordList":[{"x":"1"},{"limitAmount":"1","limitAmount":"2"}]}', 'recordList[1].limitAmount'],
    ['{"a":{"b":{"c":[["1",{"d":"1","d":"1"}]]}}}', 'a.b.c[0][1].d'],
    ['{"4111111111111111":"1","4111111111111111":"2"}', 'body'],
    ['{"4111111111111111":{"a":"1","a":"2"}}', 'body'],
    ['{"":"1","":"2"}', 'body'],
    ['[{"a":"1","a":"2"}]', '[0].a'],
  ])('S93 refuses a name twice in %s', (text, field) => {
    expect(faultField(text)).toBe(field);
  });

  it('S93 takes the same name in two objects, and names that differ by case', () => {
    expect(read('{"a":{"x":"1"},"b":{"x":"1"},"A":[{"x":"1"},{"x":"2"}]}').kind).toBe('object');
  });

  it.each([
    ['{"__proto__":{"x":"1"}}', 'body'],
    ['{"\\u005f_proto__":"1"}', 'body'],
    ['{"constructor":"1"}', 'constructor'],
    ['{"a":[{"prototype":"1"}]}', 'a[0].prototype'],
  ])('S94 refuses %s', (text, field) => {
    expect(faultField(text)).toBe(field);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it.each([
    '',
    ' ',
    '{',
    '}',
    '{}}',
    '{}{}',
    '{} x',
    '{},',
    '{"a":"1",}',
    '{"a"}',
    '{"a":}',
    '{a:"1"}',
    "{'a':'1'}",
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":"\n"}',
    '{"a":"\\x41"}',
    '{"a":"\\u12"}',
    '{"a":"1"',
    '{"a":"1',
    '{"a":"1\\',
    '{"a":"1"/*c*/}',
    '//c\n{}',
    '{]',
    '[}',
    '"',
    '\u00a0{}',
    'null',
    '"text"',
    '12',
    'true',
    '[]',
    '[{}]',
  ])('S95 S103 refuses %j as a whole', text => {
    expect(faultField(text)).toBe('body');
  });

  it('S95 reads 1e400 as no string, so that no field can take it', () => {
    expect(read('{"a":1e400}')).toEqual({ kind: 'object', value: { a: Number.POSITIVE_INFINITY } });
  });

  it.each([
    ['{"a":"\\ud800"}', 'a'],
    ['{"a":"\\ude00\\ud83d"}', 'a'],
    ['{"a":"\\ud83dx\\ude00"}', 'a'],
    ['{"a":"\\ud83d\\ud83d\\ude00"}', 'a'],
    ['{"a":["x",{"b":"\\udfff"}]}', 'a[1].b'],
    ['{"\\ud800":"x"}', 'body'],
    ['{"a":{"\\ud800":"x"}}', 'a'],
    ['{"1\\ud83d":{"a":"\\ud800"}}', 'body'],
  ])('S101 refuses the lone surrogate in %s', (text, field) => {
    expect(faultField(text)).toBe(field);
  });

  const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
  const named = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":"v"`).join(',')}}`;
  const listed = (count: number) => `{"a":[${Array(count).fill('"x"').join(',')}]}`;

  it('S96 F86 sets limits on depth and width, and counts none that is in a string', () => {
    expect(faultField(nested(JSON_LIMITS.depth))).toBeUndefined();
    expect(faultField(nested(JSON_LIMITS.depth + 1))).toBe('body');
    expect(faultField(named(JSON_LIMITS.names))).toBeUndefined();
    expect(faultField(named(JSON_LIMITS.names + 1))).toBe('body');
    expect(faultField(listed(JSON_LIMITS.items))).toBeUndefined();
    expect(faultField(listed(JSON_LIMITS.items + 1))).toBe('body');
    expect(faultField(`{"a":"${'[{,'.repeat(1_000)}"}`)).toBeUndefined();
  });

  it('F86 stays alive with two million levels, balanced or not, and with a long run of anything', () => {
    const many = 2_000_000;
    for (const text of ['['.repeat(many), '{"a":'.repeat(many), `${'['.repeat(many)}${']'.repeat(many)}`]) {
      expect(faultField(text)).toBe('body');
    }
    for (const unit of [']', '}', ',', '"', '\\', ':', ' ', '\\"', '{}', '[]', '"a",']) {
      expect(faultField(unit.repeat(100_000))).toBe('body');
    }
  });

  it('never throws on any bytes, and takes only what JSON.parse takes for an object', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), list => {
        expect(['object', 'fault']).toContain(readStrictJson(list).kind);
      }),
    );
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"\\u0061"',
      '1',
      'null',
      ' ',
      '"',
      '\\',
      'x',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), list => {
        const text = list.join('');
        const reading = read(text);
        if (reading.kind === 'object') expect(reading.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('S90 to S96 finds the same in a flat message by the short way as by the scan', () => {
    const name = fc.constantFrom(
      'a',
      'b',
      'c',
      'd',
      'e{',
      'f[',
      'g\\u0061',
      '__proto__',
      'constructor',
      'prototype',
      '',
    );
    const value = fc.constantFrom('"x"', '"y:"', '"{"', '"a\\"b"', '1', 'null', 'true', '[]', '{}', '{"a":1}', '"', '');
    const member = fc
      .tuple(name, fc.constantFrom('', ' '), value)
      .map(([key, space, item]) => `"${key}"${space}:${item}`);
    const flat = fc.array(member, { maxLength: 6 }).map(members => `{${members.join(',')}}`);
    const text = fc.oneof(
      { weight: 4, arbitrary: flat },
      flat.map(each => `${each}"`),
      flat.map(each => each.slice(1)),
    );
    fc.assert(
      fc.property(text, each => {
        expect(read(each)).toEqual(readAnyJson(each));
      }),
      { numRuns: 5_000 },
    );
    const wide = (names: number) => `{${Array.from({ length: names }, (_, i) => `"n${i}":"v"`).join(',')}}`;
    for (const names of [JSON_LIMITS.names, JSON_LIMITS.names + 1]) {
      expect(read(wide(names))).toEqual(readAnyJson(wide(names)));
    }
  });

  it('reads every object within the limits as JSON.parse does, however it is written', () => {
    const prototypeName = /"(__proto__|constructor|prototype)":/;
    const anyObject = fc
      .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 }))
      .filter(value => !prototypeName.test(JSON.stringify(value)) && JSON.stringify(value).isWellFormed());
    const spaces = fc.constantFrom(0, 1, '\t');
    fc.assert(
      fc.property(anyObject, spaces, (value, space) => {
        const text = JSON.stringify(value, null, space);
        // JSON.stringify escapes lone surrogates, which are refused.
        fc.pre(!/\\ud[89a-f]/.test(text));
        expect(read(text)).toEqual({ kind: 'object', value: JSON.parse(text) });
      }),
    );
  });
});
