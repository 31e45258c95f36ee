/**
 * What is measured of our gateway: every load, on either journal, under the same conditions, so that any two can be
 * compared.
 */
import { describe, expect, it } from 'vitest';
import { LOADS } from '../../bench/peers/loads.ts';
import { SUBJECTS, subjectRows } from '../../bench/subjects.ts';

describe('the gateway is a subject', () => {
  const loads = Object.keys(LOADS);

  it.each(['gatewayRedis', 'gatewaySqlite'])('with every load on %s', peer => {
    const measured = subjectRows().flatMap(([, row]) =>
      row.kind === 'closed' && row.peer === peer && row.issuer === 'steady' ? [row] : [],
    );
    expect(measured.map(({ load }) => load).sort()).toEqual(loads.toSorted());
    expect(new Set(measured.map(({ connections }) => connections)).size).toBe(1);
  });

  it('and no two subjects of one kind have the same name for a person', () => {
    const names = Object.values(SUBJECTS).map(({ kind, what }) => `${kind}: ${what}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
