/**
 * docs/sandbox.md against the demo issuer: its endpoints, statuses, limits and PIN blocks are those that there are.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apiByName } from '../../src/catalogue/apis.ts';
import { DEMO_CUSTOMER } from '../../src/sandbox/cards.ts';
import { ENDPOINT_NAMES } from '../../src/sandbox/controls.ts';
import { pinOf } from '../../src/sandbox/pin.ts';
import { CARD_STATUSES, LIMIT_TYPES } from '../../src/sandbox/products.ts';

const page = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8');

describe('docs/sandbox.md', () => {
  it('lists the endpoints that there are', () => {
    const told = page.split('\n').flatMap(line => {
      const [, cell = ''] = line.startsWith('|') ? line.split('|') : [];
      const paths = [...cell.matchAll(/\/_sandbox\/([a-z]+(?:\/(?=\{))?)/g)].map(([, path]) => path);
      const methods = [...cell.matchAll(/\b(GET|POST|DELETE)\b/g)].map(([, method]) => method);
      return [...new Set(methods)].flatMap(method => paths.map(path => `${method} ${path}`));
    });
    expect(told.toSorted()).toEqual(ENDPOINT_NAMES.toSorted());
  });

  it('has PIN blocks of the PIN that it says, in both formats', () => {
    const blocks = page.match(/\b(0|2)4[0-9A-F]{14}\b/g) ?? [];
    expect(new Set(blocks).size).toBe(2);
    for (const block of blocks) expect([block, pinOf(block, '43219876543210987')]).toEqual([block, '1234']);
  });

  it('tells every card status, and the codes of limits by their two letters', () => {
    const rows = page.match(/^\| (`[A-Z]` ?)+\|.*$/gm)?.join('\n') ?? '';
    const told = new Set([...rows.matchAll(/^\|( `[A-Z]`)+/gm)].flatMap(([cell]) => cell.match(/[A-Z]/g) ?? []));
    expect([...told].toSorted()).toEqual([...CARD_STATUSES.keys()].toSorted());
    expect([...LIMIT_TYPES.keys()]).toEqual(['P', 'W', 'T'].flatMap(of => ['T', 'D', 'M'].map(per => of + per)));
  });

  it('rehearses with APIs and a customer that there are', () => {
    const names = [...page.matchAll(/npm run call -- ([A-Z]\w+) (?!name=)/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter(name => !apiByName(name))).toEqual([]);
    for (const text of [DEMO_CUSTOMER.customerId, DEMO_CUSTOMER.idNo]) expect(page).toContain(`\`${text}\``);
  });
});
