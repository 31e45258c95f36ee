/**
 * Tables get into the documentation where they belong, and nothing else of it changes.
 */
import { describe, expect, it } from 'vitest';
import { filled } from '../../../bench/report/document.ts';

const DOCUMENT = 'a\n<!-- begin:main -->\nold\n<!-- end:main -->\nb\n<!-- begin:owed -->\n<!-- end:owed -->\nc\n';

describe('a document', () => {
  it('has each section put between its marks, once or again', () => {
    const once = filled(DOCUMENT, new Map([['main', 'new']]));
    expect(once).toBe(DOCUMENT.replace('old', 'new'));
    expect(filled(once, new Map([['main', 'new']]))).toBe(once);
  });

  it('keeps what was not measured, and knows nothing of sections that it does not have', () => {
    expect(filled(DOCUMENT, new Map([['other', 'x']]))).toBe(DOCUMENT);
  });

  it('fills several', () => {
    const text = filled(DOCUMENT, new Map(Object.entries({ main: '1', owed: '2' })));
    expect(text).toContain('<!-- begin:owed -->\n2\n<!-- end:owed -->');
  });

  it('is not touched where a section does not end', () => {
    expect(() => filled('<!-- begin:main -->', new Map())).toThrow('does not end');
  });
});
