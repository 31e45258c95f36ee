/**
 * What other commands leave for the report, and what becomes of a file that holds something else.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveOther, readOthers } from '../../../bench/engine/other.ts';
import { tempDir } from '../../support/places.ts';

describe('what another command has measured', () => {
  it('is there for the next run, the latest of each target', () => {
    const out = tempDir('other');
    leaveOther(out, 'soak', [2.5], 'first');
    leaveOther(out, 'soak', [1.5], 'second');
    leaveOther(out, 'goodput', [0.9, 0.95, 0.97], '');
    expect(readOthers(out)).toEqual([
      { target: 'goodput', rounds: [0.9, 0.95, 0.97], note: '' },
      { target: 'soak', rounds: [1.5], note: 'second' },
    ]);
  });

  it('is nothing where nobody has been', () => expect(readOthers(tempDir('other'))).toEqual([]));

  it.each(['{"target":"soak","rounds":["1"]}', '{"rounds":[1]}', '[]'])('is refused with its file: %s', text => {
    const out = tempDir('other');
    mkdirSync(join(out, 'other'));
    writeFileSync(join(out, 'other', 'soak.json'), text);
    expect(() => readOthers(out)).toThrow(/soak\.json holds no measurement/);
  });
});
