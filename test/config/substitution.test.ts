/** `${NAME}`, `${NAME:-default}`, `${file:path}`: what they stand for, and that what they bring in stays one value. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type Env, expand } from '../../src/config/substitute.ts';
import { type Files, loadGood, place, places, problemsOf, sampleWith } from './sample.ts';

const filled = async (value: string, env: Env = {}): Promise<unknown> => expand(value, env, '/nowhere');

describe('a template is taken apart once', () => {
  test.for([
    ['a variable', '${A}', { A: 'x' }, 'x', true],
    ['an empty variable', '${A}', { A: '' }, '', true],
    ['text around it', 'a${A}c', { A: 'b' }, 'abc', false],
    ['two of them', '${A}${B}', { A: 'x', B: 'y' }, 'xy', false],
    ['a default that is not needed', '${A:-y}', { A: 'x' }, 'x', true],
    ['a default', '${A:-y}', {}, 'y', true],
    ['a default for an empty one, as in a shell', '${A:-y}', { A: '' }, 'y', true],
    ['an empty default', '${A:-}', {}, '', true],
    ['a default with a colon and a dash', '${A:-a:-b}', {}, 'a:-b', true],
    ['a default in a default', '${A:-${B:-${C:-z}}/w}', {}, 'z/w', true],
    ['the inner variable', '${A:-${B:-y}/w}', { B: 'x' }, 'x/w', true],
    [
      'what is filled in is not looked at again',
      '${A}',
      { A: '${B} ${file:/etc/hostname}', B: 'no' },
      '${B} ${file:/etc/hostname}',
      true,
    ],
    ['a dollar alone', '$5 {x} }', {}, '$5 {x} }', false],
  ] as const)('%s', async ([, value, env, text, whole]) => {
    expect(await filled(value, env)).toEqual({ text, whole });
  });

  test.for([
    '${',
    '${}',
    '${A',
    '${1A}',
    '${A:}',
    '${A:+x}',
    '${A-x}',
    '${ A }',
    '${A:-',
    '${A:-${B}',
    '${file:',
    '${A:-${}}',
  ])('malformed: %s', async value => {
    expect(await filled(value, { A: 'x', B: 'y' })).toMatchObject({
      what: expect.stringContaining('not a substitution'),
    });
  });

  test('a variable that is not set is named, and names of the prototype are not set', async () => {
    expect(await filled('${NOT_SET}')).toMatchObject({ what: expect.stringContaining('NOT_SET') });
    expect(await filled('${constructor}')).toMatchObject({ what: expect.stringContaining('constructor') });
  });

  test('nesting has an end', async () => {
    expect(await filled('${A:-${A:-${A:-x}}}')).toMatchObject({ text: 'x' });
    expect(await filled('${A:-'.repeat(1000))).toMatchObject({ what: expect.stringContaining('too deep') });
  });

  test('never throws, whatever the template', async () => {
    const piece = fc.constantFrom('${', '}', ':-', 'file:', 'A', '$', '{', 'ä', '\n', ':', '\0', '/');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async pieces => {
        const result = await expand(pieces.join(''), { A: 'x' }, '/nowhere');
        expect('text' in result || 'what' in result).toBe(true);
      }),
    );
  });
});

const load = async (text: string, env: Env, files: Files = {}) => (await loadGood(text, env, files)).config;

describe('a value that is wholly filled in is read as the kind that is wanted', () => {
  test('numbers, also from quotes and from files', async () => {
    const text = sampleWith(['port: 8080', 'port: ${PORT:-8081}'], ['port: 9090', 'port: "${file:admin.port}"']);
    const config = await load(text, {}, { 'admin.port': '9191\n' });
    expect([config.server.port, config.admin.port]).toEqual([8081, 9191]);
    expect((await load(text, { PORT: '8088' }, { 'admin.port': '1' })).server.port).toBe(8088);
  });

  test('true and false', async () => {
    const text = sampleWith(['host: 127.0.0.1', 'host: 0.0.0.0\n  dangerouslyAllowPlaintext: ${SAY:-false}']);
    expect((await load(text, { SAY: 'true' })).server.host).toBe('0.0.0.0');
    expect(places(await problemsOf(text))).toEqual(['2 server.host']);
    expect(places(await problemsOf(text, { SAY: 'yes' }))).toEqual(['3 server.dangerouslyAllowPlaintext']);
  });

  test.for(['12345678', '0123', 'true', 'null', '1e5', '0x10', '~', '[a]'])('text stays text: %s', async token => {
    const text = sampleWith(['"bank-token"', '${TOKEN}'], ['"100000"]', '"${P}"]'], ['"100000"\n', '${P}\n']);
    if (token === '[a]' || token === '~') {
      const participants = (await load(text.replace('${TOKEN}', 'x'), { P: token })).clients[0]?.participants;
      return expect([...(participants ?? [])]).toEqual([token]);
    }
    const { issuers, routes } = await load(text, { TOKEN: token, P: token });
    const credentials = issuers[0]?.credentials;
    expect(credentials?.kind === 'bearer' && credentials.token.reveal()).toBe(token);
    expect(routes[0]?.participant).toBe(token);
  });

  test('lists of single values, whose numbers keep their spelling', async () => {
    const text = sampleWith(
      ['["100000"]', '${PARTICIPANTS}'],
      ['allowFrom: []', 'allowFrom: ${NETS:-[]}'],
      ['"100000"\n', '"007"\n'],
    );
    const config = await load(text, { PARTICIPANTS: '[007]', NETS: '[10.0.0.0/8, "::1/128"]' });
    expect([...(config.clients[0]?.participants ?? [])]).toEqual(['007']);
    expect(config.clients[1]?.allowFrom).toEqual(['10.0.0.0/8', '::1/128']);
    expect((await load(text, { PARTICIPANTS: '["007"]' })).clients[1]?.allowFrom).toEqual([]);
  });

  test('lists of lists and of maps are structure, and structure is written in the file', async () => {
    const text = sampleWith(['[127.0.0.0/8]', '${NETS}']);
    for (const NETS of ['[10.0.0.0/8, [11.0.0.0/8]]', '[10.0.0.0/8, {a: b}]', '- 10.0.0.0/8\n- - x', '10.0.0.0/8']) {
      expect(places(await problemsOf(text, { NETS })), NETS).toEqual(['18 clients[0].allowFrom']);
    }
    expect((await load(text, { NETS: '- 10.0.0.0/8\n- 11.0.0.0/8' })).clients[0]?.allowFrom).toHaveLength(2);
  });

  test('an empty variable is not an absent key', async () => {
    const text = sampleWith(['allowFrom: []', 'allowFrom: ${NETS}']);
    expect(places(await problemsOf(text, { NETS: '' }))).toEqual(['25 clients[1].allowFrom']);
  });

  test('a value that is filled in only in part is text', async () => {
    const text = sampleWith(['port: 8080', 'port: 80${X}']);
    expect(places(await problemsOf(text, { X: '80' }))).toEqual(['3 server.port']);
    const url = sampleWith(['127.0.0.1:7070', '127.0.0.1:${P:-7171}']);
    expect((await load(url, {})).issuers[1]?.baseUrl).toBe('http://127.0.0.1:7171');
  });
});

describe('files', () => {
  test('one newline at the end is dropped, no more', async () => {
    const text = sampleWith(['"bank-token"', '"${file:${DIR:-secrets}/token}"']);
    const token = async (content: string) => {
      const credentials = (await load(text, {}, { 'secrets/token': content })).issuers[0]?.credentials;
      return credentials?.kind === 'bearer' && credentials.token.reveal();
    };
    expect(await token('abc\n')).toBe('abc');
    expect(await token('abc\r\n')).toBe('abc');
    expect(await token('abc')).toBe('abc');
    expect(places(await problemsOf(text, {}, { 'secrets/token': 'abc\n\n' }))).toEqual([
      '31 issuers[0].credentials.bearer',
    ]);
    expect(places(await problemsOf(text, {}, { 'secrets/token': '' }))).toEqual(['31 issuers[0].credentials.bearer']);
    expect(places(await problemsOf(text, { DIR: 'elsewhere' }))).toEqual(['31 issuers[0].credentials.bearer']);
  });

  test('devices, folders, binary and large files are refused', async () => {
    for (const path of ['/dev/zero', '.', 'big', 'binary', 'a\\0b']) {
      const text = sampleWith(['"bank-token"', `"\${file:${path}}"`]);
      const files = { big: 'x'.repeat(65_537) };
      expect(places(await problemsOf(text, {}, files)), path).toEqual(['31 issuers[0].credentials.bearer']);
    }
  });
});

describe('what is filled in cannot bring in structure', () => {
  const INJECTIONS = [
    'x\nadmin:\n  port: 1',
    'x"}\nserver: {port: 1}',
    '{port: 1}',
    '[{id: evil}]',
    '[[a]]',
    '&a [*a]',
    '*a',
    '!!js/function x',
    '? a\n: b',
    '--- a\n--- b',
    '${HOME}',
    "', port: 1, x: '",
  ];

  test.for(INJECTIONS)('%j', async injected => {
    const text = sampleWith(
      ['port: 8080', 'port: ${I}'],
      ['[Transaction]', '${I}'],
      ['credentials:\n      bearer: "bank-token"', 'credentials: ${I}'],
      ['id: acquirer', 'id: "${I}"'],
    );
    expect(places(await problemsOf(text, { I: injected, HOME: '1' }))).toEqual([
      '3 server.port',
      '15 clients[0].scopes',
      '19 clients[1].id',
      '30 issuers[0].credentials',
    ]);
  });

  test('any text at all is one token, or one problem in its place', async () => {
    const path = place(sampleWith(['"bank-token"', '${TOKEN}']));
    const plain = await loadConfig(path, { TOKEN: 'x' });
    const others = plain.ok && inspect(plain.config, { depth: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.stringMatching(/^[\w{}[\]:,&*!#"'\n -]+$/)),
        async token => {
          const result = await loadConfig(path, { TOKEN: token });
          if (!result.ok) {
            expect(places(result.problems)).toEqual(['31 issuers[0].credentials.bearer']);
            return;
          }
          const credentials = result.config.issuers[0]?.credentials;
          expect(credentials?.kind === 'bearer' && credentials.token.reveal()).toBe(token);
          expect(inspect(result.config, { depth: 20 })).toBe(others);
        },
      ),
      { numRuns: 100 },
    );
  });
});
