/**
 * Tables in Markdown, what Redis says of itself, messages by size, and the configuration with one more issuer.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numberIn } from '../../../bench/scale/journals.ts';
import { writeCards } from '../../../bench/scale/loads.ts';
import { refusalsIn, withAwayIssuer } from '../../../bench/scale/owed.ts';
import { grouped, inMs, markdownOf } from '../../../bench/scale/tables.ts';
import { removeDir } from '../../support/places.ts';

describe('a table', () => {
  it('is Markdown, with numbers to the right and its notes below', () => {
    const text = markdownOf({
      title: 'Clients',
      notes: ['one token each'],
      head: ['clients', 'ms'],
      rows: [['1', '2.00']],
    });
    expect(text.split('\n')).toEqual([
      ...['### Clients', '', '| clients | ms |', '| --- | --: |', '| 1 | 2.00 |', '', '- one token each', ''],
    ]);
  });

  it('writes numbers as they are read', () => {
    expect([grouped(1_234_567.4), grouped(0), inMs(1234)]).toEqual(['1,234,567', '0', '1.23']);
  });
});

describe('what Redis says', () => {
  it('is found by its whole name', () => {
    const info = '# Memory\r\nused_memory:1024\r\nused_memory_rss:4096\r\n';
    expect([numberIn(info, 'used_memory'), numberIn(info, 'used_memory_rss')]).toEqual([1024, 4096]);
  });

  it('is asked for loudly where it is not there', () => {
    expect(() => numberIn('used_memory_human:1K', 'used_memory')).toThrow('used_memory');
  });
});

describe('the cards', () => {
  it('come in turn, each message with an id of its own', () => {
    const dir = mkdtempSync(join(tmpdir(), 'cards-'));
    const file = join(dir, 'cards.txt');
    writeCards(file, 4, 2, { before: '{"tranId":"', after: '","cardToken":"bench-card-0000001"}' });
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    removeDir(dir);
    expect(lines.map(({ cardToken }) => cardToken.slice(-1))).toEqual(['0', '1', '0', '1']);
    expect(new Set(lines.map(({ tranId }) => tranId)).size).toBe(4);
  });
});

describe('the configuration', () => {
  it('gets one more issuer, like the first, with a participant of its own', () => {
    const config = { issuers: [{ id: 'core-bank', baseUrl: 'a', credentials: { bearer: 'x' } }], routes: [] };
    expect(withAwayIssuer(config, 'b')).toMatchObject({
      issuers: [{ id: 'core-bank' }, { id: 'away-bank', baseUrl: 'b', credentials: { bearer: 'x' } }],
      routes: [{ participant: '200000', issuer: 'away-bank' }],
    });
  });
});

describe('what was refused', () => {
  const line = (fields: object) => JSON.stringify({ level: 'info', event: 'request', code: '00', ...fields });

  it('is counted by code and reason, from the log of the gateway', () => {
    const busy = { code: '91', outcome: 'refused', refusal: 'busy' };
    const away = { code: '91', outcome: 'notSent', detail: 'breakerOpen' };
    const log = [line({}), line(busy), line(away), line(busy), '{"event":"alarm","code":"ECONNREFUSED"}', ''].join(
      '\n',
    );
    expect(refusalsIn(log)).toBe('2 × 91 refused busy, 1 × 91 notSent breakerOpen');
    expect(refusalsIn(`${line({})}\n`)).toBe('');
  });
});
