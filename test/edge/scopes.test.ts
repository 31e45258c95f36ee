/**
 * Scopes of tokens: what a name stands for, and what a client is granted. What is retired has to be named by itself on
 * both sides.
 */
import { describe, expect, it } from 'vitest';
import { APIS, apiByName } from '../../src/catalogue/apis.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import { apisOf, grantedScope, SCOPES_SUPPORTED, scopeNames } from '../../src/edge/scopes.ts';

const CARD = APIS.filter(row => row.module === 'Card' && !row.retired).map(row => row.name);
const RETIRED = APIS.filter(row => row.retired).map(row => row.name);

const named = (...names: readonly string[]): ReadonlySet<ApiName> =>
  new Set(names.map(apiByName).flatMap(row => (row === undefined ? [] : [row.name])));
const assigned = (...names: readonly string[]) => ({ product: 'prepaid' as const, scopes: named(...names) });

describe('scopes', () => {
  it('stand for the APIs of a module, or for one', () => {
    expect([...apisOf(['Card'])]).toEqual(CARD);
    expect([...apisOf(['Parameter', 'Purchase'])]).toEqual(['DropDownListInquiry', 'Purchase']);
    expect([...apisOf(['__proto__', 'card', ''])]).toEqual([]);
  });

  it('leave what is retired out of its module, and out of what is published', () => {
    expect(RETIRED).toEqual(['BlacklistUpdate']);
    expect([...apisOf(RETIRED)]).toEqual(RETIRED);
    for (const name of RETIRED) expect(SCOPES_SUPPORTED).not.toContain(name);
  });

  it('S56 grant a module that is assigned whole, and what is retired only where it is assigned by name', () => {
    expect(grantedScope(assigned(...CARD), undefined)).toEqual(['Card']);
    expect(grantedScope(assigned(...CARD), 'Card')).toEqual(['Card']);
    expect(grantedScope(assigned(...CARD), 'BlacklistUpdate')).toBeUndefined();
    expect(grantedScope(assigned(...CARD, ...RETIRED), undefined)).toEqual(['Card', 'BlacklistUpdate']);
    expect(grantedScope(assigned(...CARD, ...RETIRED), 'BlacklistUpdate')).toEqual(['BlacklistUpdate']);
    expect(grantedScope(assigned(...RETIRED), 'Card')).toBeUndefined();
  });

  it('have one space between them', () => {
    expect(scopeNames('Card Purchase Card')).toEqual(['Card', 'Purchase']);
    for (const text of ['', ' Card', 'Card ', 'Card  Purchase', 'Card\tPurchase', 'Ca"rd']) {
      expect(scopeNames(text)).toBeUndefined();
    }
  });
});
