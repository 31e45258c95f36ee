/**
 * Puts what was measured into `docs/performance.md`: `npm run performance -- [--from var/bench]`. Tables stand there between
 * `<!-- begin:NAME -->` and `<!-- end:NAME -->`; what was not measured stays as it is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { optionsOrCode } from '../engine/command.ts';
import { readOthers } from '../engine/other.ts';
import { renewed } from '../engine/verdicts.ts';
import { ROOT } from '../peers/process.ts';
import type { BenchResult, CpuPart, SubjectResult, Verdict } from '../results.ts';
import { type PartResult, readScale } from '../scale/results.ts';
import { markdownOf } from '../scale/tables.ts';
import { partNames } from './bars.ts';
import { asked, CONCLUSIONS, figure, occasionText, short } from './numbers.ts';
import { measuredText, missedLines, spreadOf } from './table.ts';

const BEGIN = /<!-- begin:([a-z]+) -->/g;
const markOf = (kind: 'begin' | 'end', name: string): string => `<!-- ${kind}:${name} -->`;

/** The document with these sections in place. @throws Error where a section begins and does not end. */
export function filled(document: string, sections: ReadonlyMap<string, string>): string {
  let text = document;
  for (const [, name = ''] of document.matchAll(BEGIN)) {
    const from = text.indexOf(markOf('begin', name)) + markOf('begin', name).length;
    const until = text.indexOf(markOf('end', name), from);
    if (until < 0) throw new Error(`the section ${name} does not end`);
    const section = sections.get(name);
    if (section !== undefined) text = `${text.slice(0, from)}\n${section.trim()}\n${text.slice(until)}`;
  }
  return text;
}

const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function tableOf(head: readonly string[], rows: readonly (readonly string[])[], textColumns: number): string {
  const rule = head.map((_, column) => (column < textColumns ? '---' : '--:'));
  return [head, rule, ...rows].map(lineOf).join('\n');
}

const subjectRow = (subject: SubjectResult): string[] => [
  subject.what,
  ...(['perCpuSecond', 'perSecond', 'p50Us', 'p99Us', 'rssMiB'] as const).map(each => figure(subject.median, each)),
  spreadOf(subject),
];

const verdictRow = (verdict: Verdict): string[] => [
  verdict.target,
  measuredText(verdict),
  asked(verdict.atLeast, verdict),
  asked(verdict.aim, verdict),
  CONCLUSIONS[verdict.conclusion],
];

/** CPU time of one request, or of a start, by part, a column for each subject that was profiled; nothing where none was. */
function partsTable(subjects: readonly SubjectResult[]): string {
  const profiled = subjects.flatMap(({ what, cpuParts }) => (cpuParts === undefined ? [] : [{ what, cpuParts }]));
  if (profiled.length === 0) return '';
  const names = partNames(profiled.map(({ cpuParts }) => cpuParts));
  const cost = (parts: readonly CpuPart[]) => parts.reduce((sum, { usPerRequest }) => sum + usPerRequest, 0);
  const rowOf = (title: string, isIn: (part: CpuPart) => boolean): readonly string[] => [
    title,
    ...profiled.map(({ cpuParts }) => {
      const us = cost(cpuParts.filter(isIn));
      return us === 0 ? '' : short(us);
    }),
  ];
  const rows = [...names.map(name => rowOf(name, part => part.name === name)), rowOf('in all', () => true)];
  return tableOf(['µs of CPU by part', ...profiled.map(({ what }) => what)], rows, 1);
}

/** Each target that another command has measured, with the occasion. */
const othersLines = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ target, how, note, measured }) =>
    measured === undefined ? [] : [`${target}: by \`${how}\`; ${note}. ${occasionText(measured)}`],
  );

/** The main section: what was measured side by side, and what may be said of the targets. */
export function benchSection(result: BenchResult): string {
  const { machine, method, warnings, subjects, verdicts } = result;
  const measured = subjects.filter(({ samples }) => samples.length > 0);
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const parts = partsTable(subjects);
  return [
    tableOf(['', 'per CPU-s', 'per second', 'p50', 'p99', 'memory', '±'], measured.map(subjectRow), 1),
    '',
    tableOf(['target', 'measured', 'at least', 'aim', ''], verdicts.map(verdictRow), 1),
    '',
    ...(parts === '' ? [] : [parts, '']),
    occasionText(result),
    `Versions: ${versions.join(', ')}.`,
    '',
    ...[...othersLines(verdicts), ...missedLines(result), ...method, ...warnings].map(line => `- ${line}`),
  ].join('\n');
}

/**
 * The main section of what lies in a folder: the last bench, and what other commands have measured since; undefined where there
 * was no bench.
 *
 * @throws Error naming a file that cannot be read.
 */
export function mainSection(from: string): string | undefined {
  const file = join(from, 'results.json');
  if (!existsSync(file)) return undefined;
  const result: BenchResult = JSON.parse(readFileSync(file, 'utf8'));
  return benchSection({ ...result, verdicts: renewed(result.verdicts, readOthers(from)) });
}

const partSection = (part: PartResult): string => [...part.tables.map(markdownOf), occasionText(part)].join('\n');

const USAGE = `npm run performance -- [--from DIR]

Puts the results of npm run bench, npm run scale, npm run overload and npm run soak into docs/performance.md.

  --from DIR  where the results are (default var/bench)
`;

type DocumentOptions = { readonly help: boolean; readonly from: string };

/** The options, or what is wrong with them. */
export function readOptions(args: readonly string[]): DocumentOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string', default: 'var/bench' }, help: { type: 'boolean', default: false } },
    });
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}

function main(args: readonly string[]): number {
  const options = optionsOrCode(readOptions(args), USAGE);
  if (typeof options === 'number') return options;
  const { from } = options;
  const sections = new Map(Object.entries(readScale(from)).map(([name, part]) => [name, partSection(part)]));
  const main = mainSection(from);
  if (main !== undefined) sections.set('main', main);
  const document = join(ROOT, 'docs/performance.md');
  writeFileSync(document, filled(readFileSync(document, 'utf8'), sections));
  process.stdout.write(`docs/performance.md: ${[...sections.keys()].join(', ') || 'nothing was measured'}\n`);
  return 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
