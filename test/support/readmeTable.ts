/**
 * The README's table of the APIs, made from the catalogue: `npm run readme` puts it between its two marks, and a test
 * says when that was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { APIS } from '../../src/catalogue/apis.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import { policyWord } from '../../src/openapi/policies.ts';

const README = new URL('../../README.md', import.meta.url);
const BEGIN = '<!-- The table of the APIs: npm run readme -->\n';
const END = '<!-- End of the table -->';

const line = (row: ApiRow): string => {
  const name = row.retired ? `${row.name} (retired)` : row.name;
  return `| ${[row.no, name, row.module, `\`${row.path}\``, row.class, policyWord(row)].join(' | ')} |`;
};

/** The table, with a line break at its end. */
export const apiTable = (): string =>
  ['| no | API | module | path | class | in doubt |', '|--:|---|---|---|---|---|', ...APIS.map(line), ''].join('\n');

/** The text with the table in it. @throws Error where the marks are not there, in their order. */
export function withTable(readme: string): string {
  const from = readme.indexOf(BEGIN) + BEGIN.length;
  const to = readme.indexOf(END, from);
  if (from < BEGIN.length || to < 0) throw new Error(`the README lacks the marks ${BEGIN.trim()} and ${END}`);
  return readme.slice(0, from) + apiTable() + readme.slice(to);
}

if (import.meta.main) writeFileSync(README, withTable(readFileSync(README, 'utf8')));
