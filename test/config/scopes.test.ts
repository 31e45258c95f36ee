/** What scopes stand for in each programme, held against the columns of the catalogue row by row. */
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { MODULES, SCOPES } from '../../src/catalogue/scopes.ts';
import { type Programme, resolveScopes } from '../../src/config/scopes.ts';

const PRODUCTS = ['prepaid', 'debit'] as const;
const byIssuer = (product: Programme['product']): Programme => ({ product, byProcessor: false });
const byProcessor = (product: Programme['product']): Programme => ({ product, byProcessor: true });

const namesOf = (scopes: readonly string[], programme: Programme) => [...resolveScopes(scopes, programme).names];
const notesOf = (scopes: readonly string[], programme: Programme) => resolveScopes(scopes, programme).notes;

describe('where the issuer holds the balance', () => {
  it.each(PRODUCTS)('every API may be named, a retired one too, and modules have all but those (%s)', product => {
    expect(notesOf(SCOPES, byIssuer(product))).toEqual([]);
    for (const row of APIS) expect(namesOf([row.name], byIssuer(product))).toEqual([row.name]);
    const offered = APIS.filter(row => !row.retired).map(row => row.name);
    expect(namesOf(MODULES, byIssuer(product))).toEqual(offered);
    expect(namesOf(['Card'], byIssuer(product))).not.toContain('BlacklistUpdate');
  });
});

describe('where the processor holds the balance', () => {
  it.each(PRODUCTS)('a module means those of its APIs that a %s programme may have', product => {
    const allowed = APIS.filter(row => row[product] !== 'NA' && !row.retired).map(row => row.name);
    expect(namesOf(MODULES, byProcessor(product))).toEqual(allowed);
  });

  it('a blank column, and no column at all, reads as optional', () => {
    expect(namesOf(['CardExpiryDateUpdate'], byProcessor('debit'))).toEqual(['CardExpiryDateUpdate']);
    expect(notesOf(['CardExpiryDateUpdate'], byProcessor('prepaid'))).toHaveLength(1);
    for (const product of PRODUCTS) {
      expect(namesOf(['Token', 'Authentication', 'Parameter'], byProcessor(product))).toHaveLength(11);
    }
  });

  it.each(PRODUCTS)('an API that a %s programme may not have is refused where it is named', product => {
    for (const row of APIS) {
      const { names, notes } = resolveScopes(['Parameter', row.name], byProcessor(product));
      const isRefused = row[product] === 'NA';
      expect(names.has(row.name), row.name).toBe(!isRefused);
      expect(notes.map(({ level, index }) => ({ level, index }))).toEqual(
        isRefused ? [{ level: 'problem', index: 1 }] : [],
      );
    }
  });

  it('says how to mend it: the other product only where that one may have it', () => {
    const mend = (scope: string, product: Programme['product']) => notesOf([scope], byProcessor(product))[0]?.mend;
    expect(mend('Purchase', 'debit')).toBe('remove it, or correct product');
    expect(mend('CardExpiryDateUpdate', 'prepaid')).toBe('remove it, or correct product');
    expect(mend('BlacklistUpdate', 'debit')).toBe('remove it');
    expect(mend('BlacklistUpdate', 'prepaid')).toBe('remove it');
  });

  it('warns of a module that leaves nothing', () => {
    const { names, notes } = resolveScopes(['Transaction'], byProcessor('debit'));
    expect(names.size).toBe(0);
    expect(notes).toMatchObject([{ level: 'warning', index: 0, what: expect.stringContaining('none of the APIs') }]);
  });
});

describe('names of nothing', () => {
  it.each([
    ['Everything', /write a module \(Application, .*Parameter\) or an API/],
    ['purchase', /did you mean Purchase\?/],
    ['PINreset', /did you mean PINReset\?/],
    ['Tokens', /did you mean Token\?/],
    ['__proto__', /write a module/],
    ['constructor', /write a module/],
  ])('%s', (scope, mend) => {
    const { names, notes } = resolveScopes([scope], byIssuer('prepaid'));
    expect(names.size).toBe(0);
    expect(notes).toMatchObject([{ level: 'problem', what: 'is neither a module nor an API' }]);
    expect(notes[0]?.mend).toMatch(mend);
  });
});
