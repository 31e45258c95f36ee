/**
 * The page of a run: what may be said about the targets, the pictures, all figures and how they were made, in one file
 * without anything from elsewhere.
 */
import { escaped } from '../../test/soak/chart.ts';
import { noiseOf } from '../engine/verdicts.ts';
import type { BenchResult, Conclusion, Metric, SubjectResult, Verdict } from '../results.ts';
import { drawBars, drawParts } from './bars.ts';
import { drawDistribution, drawRates } from './lines.ts';
import { asked, CONCLUSIONS, duration, figure } from './numbers.ts';
import { STYLE } from './style.ts';
import { at, isOurs } from './svg.ts';
import { measuredText, noteOf, profileText, spreadOf } from './table.ts';

export function pageOf(result: BenchResult): string {
  const { startedAt, tookSeconds, machine, rounds } = result;
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gateway bench, ${when}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>How fast is the gateway here?</h1>
<p class="quiet">${when} · ${escaped(machine.cpu)}, ${machine.cores} cores · Node ${escaped(machine.versions.node ?? '')} · ${rounds} rounds in ${duration(tookSeconds)}</p>
${result.warnings.map(warning => `<div class="warning">${escaped(warning)}</div>`).join('\n')}
${sums(result.verdicts)}
${section('Targets', 'Each is a ratio of two figures of the same run, round by round, so that the speed of the machine does not matter. ± is half of what lies between the best round and the worst.', targetTable(result))}
${pictures(result.subjects)}
${section('All figures', 'Medians of the rounds; a CPU-second is one of the measured process tree, not of the loader, the issuer or Redis.', subjectTable(result.subjects))}
${section('How it was measured', '', methodOf(result))}
</main></body>
</html>
`;
}

const section = (title: string, intro: string, body: string): string =>
  body === ''
    ? ''
    : `<section><h2>${escaped(title)}</h2>${intro === '' ? '' : `<p class="quiet">${escaped(intro)}</p>`}<div class="card">${body}</div></section>`;

const ORDER: readonly Conclusion[] = ['aim', 'met', 'missed', 'noise', 'unmeasured'];

function sums(verdicts: readonly Verdict[]): string {
  const items = ORDER.flatMap(conclusion => {
    const count = verdicts.filter(verdict => verdict.conclusion === conclusion).length;
    return count === 0
      ? []
      : [`<li><b>${count}</b><span class="tag ${conclusion}">${CONCLUSIONS[conclusion]}</span></li>`];
  });
  return `<ul class="sums">${items.join('')}</ul>`;
}

function targetTable({ verdicts, subjects }: BenchResult): string {
  const rows = verdicts.map(
    verdict => `<tr><td>${escaped(verdict.target)}<small>${escaped(verdict.how)}</small></td>
<td>${bullet(verdict)}</td><td class="number">${measuredText(verdict)}</td>
<td class="number">${asked(verdict.atLeast, verdict)}</td><td class="number">${asked(verdict.aim, verdict)}</td>
<td><span class="tag ${verdict.conclusion}">${CONCLUSIONS[verdict.conclusion]}</span><small>${escaped(noteOf(verdict))}</small>${profileOf(verdict, subjects)}</td></tr>`,
  );
  return `<table><tr><th>What</th><th></th><th class="number">Measured</th><th class="number">At least</th><th class="number">Aim</th><th>Conclusion</th></tr>
${rows.join('\n')}</table>`;
}

/** Where the time of a subject that missed its target goes. */
function profileOf(verdict: Verdict, subjects: readonly SubjectResult[]): string {
  const text = verdict.conclusion === 'missed' ? profileText(verdict, subjects) : undefined;
  return text === undefined ? '' : `<small>${escaped(text)}</small>`;
}

const BULLET = { width: 150, height: 18 } as const;

/** The value as a bar, its noise across its end, and marks where it should at least be and where it aims. */
function bullet({ value, atLeast, aim, rounds, conclusion }: Verdict): string {
  if (value === undefined) return '';
  const { width, height } = BULLET;
  const most = Math.max(value + noiseOf(rounds), atLeast, aim) * 1.08;
  const x = (each: number) => at((each / most) * width);
  const noise = noiseOf(rounds);
  const colour = { aim: '--good', met: '--fair', missed: '--bad', noise: '--unsure', unmeasured: '--quiet' }[
    conclusion
  ];
  return `<svg viewBox="0 0 ${width} ${height}" style="width:${width}px" aria-hidden="true">
<rect x="0" y="5" width="${x(value)}" height="8" rx="2" style="fill:var(${colour})"/>
<line x1="${x(value - noise)}" x2="${x(value + noise)}" y1="9" y2="9" style="stroke:var(--ink)" stroke-width="1.5"/>
<line x1="${x(atLeast)}" x2="${x(atLeast)}" y1="1" y2="17" style="stroke:var(--ink)" stroke-width="1.5"/>
<line x1="${x(aim)}" x2="${x(aim)}" y1="1" y2="17" style="stroke:var(--quiet)" stroke-width="1.5" stroke-dasharray="2 2"/></svg>`;
}

function pictures(subjects: readonly SubjectResult[]): string {
  const named = (pattern: RegExp) => subjects.filter(({ name }) => pattern.test(name));
  const paths = subjects.filter(
    ({ name, median }) =>
      median.perCpuSecond !== undefined && median.p50Us !== undefined && !/Delayed|dropping/.test(name),
  );
  const delayed = named(/Delayed$/).filter(({ histogram }) => histogram !== undefined);
  const rates = named(/Rates$/).filter(each => (each.rates?.length ?? 0) > 0);
  const profiled = subjects.filter(({ cpuParts }) => cpuParts !== undefined);
  return [
    section(
      'What one second of CPU does',
      'Requests per CPU-second of the measured process, all cores busy, 64 connections. A dot is a round.',
      paths.length === 0 ? '' : drawBars(paths, 'perCpuSecond', 'Requests per CPU-second'),
    ),
    section(
      'Where the CPU time of a request goes',
      'Or of a start, where that missed its target. By package and part, from a CPU profile; what Node does for a package is counted as that package. The numbers are microseconds.',
      profiled.length === 0 ? '' : drawParts(profiled, 'CPU time of a request by part'),
    ),
    section(
      'Latency, out to the slowest',
      'An issuer that takes 5 ms, 40 connections, a closed loop.',
      delayed.length === 0 ? '' : drawDistribution(delayed, 'Latency by percentile'),
    ),
    section(
      'Latency against throughput',
      'The same issuer, open loops at fixed rates with 64 connections: what waits for a connection is late from when it was due.',
      rates.length === 0 ? '' : drawRates(rates, 'Latency by throughput'),
    ),
  ].join('\n');
}

const COLUMNS: readonly (readonly [title: string, metric: Metric])[] = [
  ['per CPU-s', 'perCpuSecond'],
  ['per second', 'perSecond'],
  ['p50', 'p50Us'],
  ['p99', 'p99Us'],
  ['p99.9', 'p999Us'],
  ['memory', 'rssMiB'],
];

/** What only one subject has. */
const START: readonly (readonly [words: string, metric: Metric])[] = [
  ['from start to listening', 'startMs'],
  ['of memory when idle', 'idleMiB'],
];

function subjectTable(subjects: readonly SubjectResult[]): string {
  const head = COLUMNS.map(([title]) => `<th class="number">${title}</th>`).join('');
  const rows = subjects
    .filter(({ samples, skipped }) => samples.length > 0 || skipped !== undefined)
    .map(subject => {
      const { name, what, median, skipped } = subject;
      const cells = COLUMNS.map(([, metric]) => `<td class="number">${figure(median, metric)}</td>`).join('');
      const alone = START.map(([words, metric]) => [figure(median, metric), words] as const)
        .filter(([value]) => value !== '')
        .map(([value, words]) => `${value} ${words}`);
      const why = [skipped, ...alone, ...subject.samples.flatMap(({ flaws }) => flaws)].filter(
        each => each !== undefined,
      );
      const notes = [...new Set(why)].map(each => `<small>${escaped(each)}</small>`).join('');
      return `<tr${isOurs(name) ? ' class="ours"' : ''}><td>${escaped(what)}${notes}</td>${cells}<td class="number">${spreadOf(subject)}</td></tr>`;
    });
  return `<table><tr><th>Subject</th>${head}<th class="number">±</th></tr>${rows.join('\n')}</table>`;
}

function methodOf({ method, machine }: BenchResult): string {
  const { cpu, cores, memoryGiB, system, loadBefore, versions } = machine;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `<ul class="method">${method.map(each => `<li>${escaped(each)}</li>`).join('')}</ul>
<p class="quiet">${escaped(cpu)}, ${cores} cores, ${memoryGiB} GiB, ${escaped(system)}; load before the run ${loadBefore}.<br>${escaped(list.join(' · '))}</p>`;
}
