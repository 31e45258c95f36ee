/** `journal.url` taken apart. */
import { describe, expect, test } from 'vitest';
import type { JournalTarget } from '../../src/config/config.ts';
import { Fault } from '../../src/config/fault.ts';
import { describeJournal, parseJournalUrl } from '../../src/config/journalUrl.ts';

const parse = (text: string): JournalTarget => {
  const target = parseJournalUrl(text, '/etc/gateway');
  if (target instanceof Fault) throw new Error(target.what);
  return target;
};

const plain = { username: undefined, password: undefined };

describe('a journal address', () => {
  test('SQLite: relative to the file, absolute, in memory', () => {
    expect(parse('sqlite:../var/x.db')).toEqual({ kind: 'sqlite', file: '/etc/var/x.db' });
    expect(parse('sqlite:/data/x.db')).toEqual({ kind: 'sqlite', file: '/data/x.db' });
    expect(parse('sqlite:///data/x.db')).toEqual({ kind: 'sqlite', file: '/data/x.db' });
    expect(parse('sqlite::memory:')).toEqual({ kind: 'sqlite', file: ':memory:' });
  });

  test('Redis: host, port, database, TLS', () => {
    expect(parse('redis://a')).toEqual({ kind: 'redis', tls: false, host: 'a', port: 6379, db: 0, ...plain });
    expect(parse('redis://a:1/')).toMatchObject({ port: 1, db: 0 });
    expect(parse('rediss://[::1]:1/3')).toEqual({ kind: 'redis', tls: true, host: '::1', port: 1, db: 3, ...plain });
  });

  test('logins are percent-decoded; the password is a secret', () => {
    const target = parse('redis://us%40er:p%3A%2F%40ss@a:1');
    if (target.kind !== 'redis') throw new Error('not redis');
    expect(target.username).toBe('us@er');
    expect(target.password?.reveal()).toBe('p:/@ss');
    expect(parse('redis://:p@a')).toMatchObject({ username: undefined });
    expect(JSON.stringify(target)).not.toContain('p:/@ss');
    expect(describeJournal(target)).toBe('redis a:1');
  });

  test('Sentinel and Cluster: several hosts', () => {
    const nodes = [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ];
    expect(parse('redis+sentinel://a:1,[::1]:2/main')).toEqual({
      kind: 'sentinel',
      tls: false,
      nodes,
      name: 'main',
      ...plain,
    });
    expect(parse('redis+sentinel://a/m')).toMatchObject({ nodes: [{ host: 'a', port: 26_379 }] });
    expect(parse('redis+cluster://a:1,[::1]:2')).toEqual({ kind: 'cluster', tls: false, nodes, ...plain });
    expect(parse('rediss+cluster://u:p@a:1/')).toMatchObject({ kind: 'cluster', tls: true, username: 'u' });
    expect(describeJournal(parse('rediss+sentinel://u:p@a:1,[::1]:2/main'))).toBe('sentinel a:1,[::1]:2 (TLS)');
    expect(describeJournal(parse('sqlite::memory:'))).toBe('sqlite :memory:');
  });

  test.for([
    '',
    'sqlite',
    'sqlite:',
    'x.db',
    'redis:',
    'redis:a',
    'redis://',
    'redis:///0',
    'http://a',
    'redis+x://a',
    'REDIS://a',
    'redis://a,b',
    'redis://a/x',
    'redis://a/-1',
    'redis://a/0/1',
    'redis://a?x=1',
    'redis://a:0',
    'redis://a:65536',
    'redis://a b',
    'redis://u@a',
    'redis://u:@a',
    'redis://u:p:q@a',
    'redis://u:p@q@a',
    'redis://u:%zz@a',
    'redis://u:p/q@a',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/',
    'redis+sentinel://a:1/m/0',
    'redis+sentinel://a:1,,b:1/m',
    'redis+cluster://a:1/0',
    'redis+cluster://a:1,',
    `redis+cluster://${Array.from({ length: 65 }, (_, n) => `h${n}`).join(',')}`,
  ])('refused: %j', text => expect(parseJournalUrl(text, '/')).toBeInstanceOf(Fault));
});
