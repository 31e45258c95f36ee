/**
 * Tables get into the documentation where they belong, and nothing else of it changes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveOther } from '../../../bench/engine/other.ts';
import { filled, mainSection } from '../../../bench/report/document.ts';
import { tempDir } from '../../support/places.ts';
import { EXAMPLE } from './exampleResult.ts';

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

describe('the section of the bench', () => {
  const GOODPUT = 'goodput at 5 times capacity / capacity';

  function sectionWith(leave: (out: string) => void): string {
    const out = tempDir('document');
    writeFileSync(join(out, 'results.json'), JSON.stringify(EXAMPLE));
    leave(out);
    return mainSection(out) ?? '';
  }

  it('is none where there was no bench', () => expect(mainSection(tempDir('document'))).toBeUndefined());

  it('takes in what other commands have left since, with their own date and machine', () => {
    expect(sectionWith(() => undefined)).toContain(`| ${GOODPUT} | – | ≥ 0.80 | ≥ 0.95 | not measured |`);
    const machine = { ...EXAMPLE.machine, cpu: 'Another CPU', loadBefore: 0.1 };
    const note = '3 rounds, open loop';
    const text = sectionWith(out =>
      leaveOther(out, 'goodput', { rounds: [0.96, 0.97, 0.97], note, startedAt: '2026-02-04T01:02:03.000Z', machine }),
    );
    expect(text).toContain(`| ${GOODPUT} | 0.97 ± 0.01 | ≥ 0.80 | ≥ 0.95 | aim reached |`);
    expect(text).toContain(
      `- ${GOODPUT}: by \`npm run overload\`; 3 rounds, open loop. Measured 2026-02-04: Another CPU, 2 cores,`,
    );
    expect(text).toContain('Measured 2026-02-03: Example CPU @ 3 GHz, 2 cores,');
  });

  it('shows where the CPU time of a request goes, and says it of each target that is missed', () => {
    const text = sectionWith(() => undefined);
    expect(text).toContain('| µs of CPU by part | Bare node:http + undici proxy | Gateway, bearer, Redis |');
    expect(text).toMatch(/^\| undici \| 13\.0 \| 10\.5 \| 62\.7 \|$/m);
    expect(text).toMatch(/^\| gateway: journal \| {2}\| 6\.53 \| {2}\|$/m);
    expect(text).toMatch(/^\| in all \| 29\.5 \| 50\.2 \| 369 \|$/m);
    expect(text).toMatch(/^- Missed: whole JWE path.* 0\.52 ± 0\.02 where ≥ 0\.55 is asked\. CPU of Gateway, OAuth/m);
  });
});
