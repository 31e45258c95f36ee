/**
 * The README against the code: its tables are those of the catalogue, and its two commands are the project's.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { APIS } from '../src/catalogue/apis.ts';
import { REFUSALS } from '../src/domain/refusal.ts';
import { RESPONSE_CODES } from '../src/domain/responseCode.ts';
import { withTable } from './support/readmeTable.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The rows of the table that begins with this heading, cells trimmed. */
const tableRows = (heading: string): string[][] => {
  const lines = readme.split('\n');
  const start = lines.findIndex(line => line.startsWith(heading));
  expect(start, heading).toBeGreaterThan(0);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex(line => !line.startsWith('|'));
  return rows.slice(0, end).map(line =>
    line
      .slice(1, -1)
      .split('|')
      .map(cell => cell.trim()),
  );
};

describe('README', () => {
  it('has the two commands', () => {
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });

  it('lists the APIs as the catalogue has them (npm run readme)', () => {
    expect(withTable(readme)).toBe(readme);
    const rows = tableRows('| no | API |');
    expect(rows).toHaveLength(47);
    expect(rows.map(([no, , module, path]) => [no, module, path])).toEqual(
      APIS.map(row => [String(row.no), row.module, `\`${row.path}\``]),
    );
  });

  it('does not take a README without the marks', () => {
    expect(() => withTable('# Something else')).toThrow(/marks/);
  });

  it('lists the response codes with their meaning', () => {
    // An object has names like numbers first: 10 before 00.
    const codes = Object.entries(RESPONSE_CODES).toSorted(([a], [b]) => Number(a) - Number(b));
    const rows = codes.map(([code, { meaning }]) => [`\`${code}\``, meaning]);
    expect(tableRows('| code | meaning |')).toEqual(rows);
  });

  it('lists every status that a refusal has', () => {
    const listed = tableRows('| HTTP | when |').map(([status]) => Number(status));
    const used = new Set(Object.values(REFUSALS).map(row => row.status));
    expect(listed.toSorted()).toEqual([200, ...used].toSorted());
  });
});
