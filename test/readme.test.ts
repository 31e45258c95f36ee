/**
 * The README against the code: its tables are those of the catalogue, and its two commands are the project's.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { APIS } from '../src/catalogue/apis.ts';
import type { OnUnknown } from '../src/catalogue/row.ts';
import { REFUSALS } from '../src/domain/refusal.ts';
import { RESPONSE_CODES } from '../src/domain/responseCode.ts';

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

const DOUBT: Readonly<Record<OnUnknown, string>> = {
  reverse: 'reverse',
  release: 'release',
  repeat: 'repeat',
  resend: 'resend',
  none: 'none',
  undo: 'the undo of its original',
};

describe('README', () => {
  it('has the two commands', () => {
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });

  it('lists the APIs as the catalogue has them', () => {
    const rows = APIS.map(row => {
      const completing = row.onUnknownWithOriginal;
      const doubt = DOUBT[row.onUnknown] + (completing ? `, ${DOUBT[completing]} when it completes a BlockFund` : '');
      return [String(row.no), row.name, `\`${row.path}\``, row.class, doubt];
    });
    expect(tableRows('| no | API |')).toEqual(rows);
  });

  it('lists the response codes with their meaning', () => {
    const rows = Object.entries(RESPONSE_CODES).map(([code, { meaning }]) => [`\`${code}\``, meaning]);
    expect(tableRows('| code | meaning |')).toEqual(rows);
  });

  it('lists every status that a refusal has', () => {
    const listed = tableRows('| HTTP | when |').map(([status]) => Number(status));
    const used = new Set(Object.values(REFUSALS).map(row => row.status));
    expect(listed.toSorted()).toEqual([200, ...used].toSorted());
  });
});
