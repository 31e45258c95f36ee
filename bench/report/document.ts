/**
 * Puts what was measured into `docs/performance.md`: `npm run performance -- [--from var/bench]`. Tables stand there between
 * `<!-- begin:NAME -->` and `<!-- end:NAME -->`; what was not measured stays as it is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../peers/process.ts';
import type { BenchResult, Machine, SubjectResult, Verdict } from '../results.ts';
import { type PartResult, readScale } from '../scale/results.ts';
import { markdownOf } from '../scale/tables.ts';
import { asked, CONCLUSIONS, figure } from './numbers.ts';
import { measuredText, spreadOf } from './table.ts';

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

/** Where and when: below every table. */
const machineText = (machine: Machine, startedAt: string): string =>
  `Measured ${startedAt.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.versions.node}, Redis ${machine.versions.redis ?? 'none'}; load of the machine before: ${machine.loadBefore}.`;

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

/** The main section: what was measured side by side, and what may be said of the targets. */
export function benchSection({ machine, startedAt, method, warnings, subjects, verdicts }: BenchResult): string {
  const measured = subjects.filter(({ samples }) => samples.length > 0);
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    tableOf(['', 'per CPU-s', 'per second', 'p50', 'p99', 'memory', '±'], measured.map(subjectRow), 1),
    '',
    tableOf(['target', 'measured', 'at least', 'aim', ''], verdicts.map(verdictRow), 1),
    '',
    machineText(machine, startedAt),
    `Versions: ${versions.join(', ')}.`,
    '',
    ...[...method, ...warnings].map(line => `- ${line}`),
  ].join('\n');
}

const partSection = ({ tables, machine, startedAt }: PartResult): string =>
  [...tables.map(markdownOf), machineText(machine, startedAt)].join('\n');

const HELP = `npm run performance -- [--from var/bench]

Puts the results of npm run bench and npm run scale, which are in that folder, into docs/performance.md.
`;

function main(): void {
  const { values } = parseArgs({
    options: { from: { type: 'string', default: 'var/bench' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return void process.stdout.write(HELP);
  const sections = new Map(Object.entries(readScale(values.from)).map(([name, part]) => [name, partSection(part)]));
  const results = join(values.from, 'results.json');
  if (existsSync(results)) sections.set('main', benchSection(JSON.parse(readFileSync(results, 'utf8'))));
  const document = join(ROOT, 'docs/performance.md');
  writeFileSync(document, filled(readFileSync(document, 'utf8'), sections));
  process.stdout.write(`docs/performance.md: ${[...sections.keys()].join(', ') || 'nothing was measured'}\n`);
}

if (import.meta.main) main();
