/**
 * What other commands leave for the report, and what becomes of a file that holds something else.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { occasionHere } from '../../../bench/engine/machine.ts';
import { leaveOther, readOthers } from '../../../bench/engine/other.ts';
import { tempDir } from '../../support/places.ts';

describe('what another command has measured', () => {
  it('is there for the next run, the latest of each target', () => {
    const out = tempDir('other');
    const occasion = occasionHere();
    leaveOther(out, 'soak', { rounds: [2.5], note: 'first', ...occasion });
    leaveOther(out, 'soak', { rounds: [1.5], note: 'second', ...occasion });
    leaveOther(out, 'goodput', { rounds: [0.9, 0.95, 0.97], note: '', ...occasion });
    expect(readOthers(out)).toEqual([
      { target: 'goodput', rounds: [0.9, 0.95, 0.97], note: '', ...occasion },
      { target: 'soak', rounds: [1.5], note: 'second', ...occasion },
    ]);
    expect(occasion.startedAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(occasion.machine.versions).toHaveProperty('node', process.versions.node);
  });

  it('is nothing where nobody has been', () => expect(readOthers(tempDir('other'))).toEqual([]));

  const WITHOUT_OCCASION = '{"target":"soak","rounds":[1],"note":""}';

  it.each(['{"target":"soak","rounds":["1"]}', '{"rounds":[1]}', '[]', WITHOUT_OCCASION])(
    'is refused with its file: %s',
    text => {
      const out = tempDir('other');
      mkdirSync(join(out, 'other'));
      writeFileSync(join(out, 'other', 'soak.json'), text);
      expect(() => readOthers(out)).toThrow(/soak\.json holds no measurement/);
    },
  );
});
