/**
 * A run of the bench: rounds in which every subject is measured once, each in a process of its own and every other round
 * backwards; then once more what makes pictures: open loops at rising rates, and CPU profiles.
 */
import { peerRow } from '../peers/peers.ts';
import { primitiveRow } from '../primitives/primitives.ts';
import type { CpuPart, Sample, SubjectResult } from '../results.ts';
import type { ClosedRow, RatesRow, SubjectName, SubjectRow } from '../subjects.ts';
import { measureOperation, measureStart, profileOf, profileOfStart } from './measurements.ts';
import { inOrder, type Plan, picturesOf, RATE_WARM_UP_SECONDS, warmUpOf } from './plan.ts';
import { type Gathered, ratePointOf, resultOf, sampleOf } from './samples.ts';
import { type Stand, startStand } from './stand.ts';
import type { Surroundings } from './surroundings.ts';
import { missedSubjects } from './verdicts.ts';

/** What a person who waits wants to see. */
export type Progress = {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly stage: string;
  readonly what: string;
  /** What came of it; both undefined while it is under way. */
  readonly outcome?: Sample | string;
  readonly problem?: string;
};

type Row = readonly [SubjectName, SubjectRow];
/** Measurements of a rate are worth making until this share of it is not reached any more. */
const REACHED = 0.9;

export class Run {
  readonly #plan: Plan;
  readonly #around: Surroundings;
  readonly #tell: (progress: Progress) => void;
  readonly #gathered = new Map<SubjectName, Gathered>();
  /** Of a quick run, which starts each peer but once. */
  readonly #kept = new Map<SubjectName, Stand>();
  /** What went wrong on the way, for the report. */
  readonly problems: string[] = [];
  #step = 0;
  #steps = 0;

  constructor(plan: Plan, around: Surroundings, tell: (progress: Progress) => void) {
    this.#plan = plan;
    this.#around = around;
    this.#tell = tell;
  }

  async results(): Promise<SubjectResult[]> {
    const { rows, rounds } = this.#plan;
    await this.#skipMissing();
    const measured = rows.filter(([, { kind }]) => kind !== 'rates');
    const planned = picturesOf(this.#plan, new Set());
    this.#steps = measured.length * rounds + planned.length;
    try {
      for (let round = 1; round <= rounds; round += 1) {
        for (const row of inOrder(measured, round)) {
          await this.#attempt(`round ${round} of ${rounds}`, row, () => this.#sample(row, round));
        }
      }
      await this.#endKept();
      const pictures = picturesOf(this.#plan, missedSubjects(this.#results()));
      this.#steps += pictures.length - planned.length;
      for (const row of pictures) await this.#attempt('pictures', row, () => this.#picture(row));
    } finally {
      await this.#endKept();
    }
    return this.#results();
  }

  #results(): SubjectResult[] {
    return this.#plan.rows.map(([name, row]) => resultOf(name, row, this.#of(name)));
  }

  /** Whatever fails is left out from then on, with the reason, and the run goes on. */
  async #attempt(stage: string, [name, row]: Row, work: () => Promise<Sample | string>): Promise<void> {
    this.#step += 1;
    const common = { step: this.#step, steps: this.#steps, stage, what: row.what };
    if (this.#of(name).skipped !== undefined) return;
    this.#tell(common);
    try {
      this.#tell({ ...common, outcome: await work() });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // A picture that fails takes nothing from what the rounds have measured.
      if (row.kind === 'rates' || this.#of(name).samples.length === 0) this.#add(name, { skipped: firstLine(problem) });
      this.problems.push(`${stage}, ${name}: ${firstLine(problem)}`);
      this.#tell({ ...common, problem });
    }
  }

  async #sample([name, row]: Row, round: number): Promise<Sample> {
    const sample = await this.#measure(name, row, round);
    this.#add(name, { samples: [...this.#of(name).samples, sample] });
    return sample;
  }

  async #measure(name: SubjectName, row: SubjectRow, round: number): Promise<Sample> {
    const { operationSeconds, idleSeconds } = this.#plan;
    if (row.kind === 'operation') return measureOperation(this.#around, row, round, operationSeconds);
    if (row.kind === 'start') return measureStart(this.#around, row, round, idleSeconds);
    if (row.kind === 'rates') throw new Error(`${name} is a picture, and not measured in rounds`);
    return this.#plan.quick ? this.#measureKept(name, row, round) : this.#measureFresh(row, round);
  }

  async #measureFresh(row: ClosedRow, round: number): Promise<Sample> {
    const { seconds } = this.#plan;
    const warmUpSeconds = warmUpOf(this.#plan, row);
    const stand = await this.#stand(row, seconds + warmUpSeconds);
    try {
      return sampleOf(round, await stand.measure({ seconds, warmUpSeconds, ratePerSecond: 0 }), row.mayFail === true);
    } finally {
      await stand.end();
    }
  }

  async #measureKept(name: SubjectName, row: ClosedRow, round: number): Promise<Sample> {
    const { seconds, rounds } = this.#plan;
    const kept = this.#kept.get(name);
    const warmUpSeconds = kept ? 0 : warmUpOf(this.#plan, row);
    const stand = kept ?? (await this.#stand(row, rounds * seconds + warmUpSeconds));
    this.#kept.set(name, stand);
    return sampleOf(round, await stand.measure({ seconds, warmUpSeconds, ratePerSecond: 0 }), row.mayFail === true);
  }

  #stand(row: ClosedRow | RatesRow, loadSeconds: number): Promise<Stand> {
    const { everywhere, measured, core } = this.#around.cores;
    const own = row.kind === 'closed' && row.everyCore !== true && row.peer !== 'direct';
    return startStand(this.#around, row, {
      pin: own ? measured : everywhere,
      core: own ? core : undefined,
      loadSeconds,
    });
  }

  async #picture([name, row]: Row): Promise<string> {
    if (row.kind === 'rates') return this.#rates(name, row);
    if (row.kind === 'operation') throw new Error(`there is no picture of ${name}`);
    const cpuParts = await (row.kind === 'start' ? profileOfStart(this.#around, row) : this.#profile(name, row));
    this.#add(name, { cpuParts });
    return `profiled: ${cpuParts[0]?.name ?? 'nothing'} leads`;
  }

  #profile(name: SubjectName, row: ClosedRow): Promise<CpuPart[]> {
    const { profileSeconds, warmUpSeconds } = this.#plan;
    const usPerRequest = 1e6 / (resultOf(name, row, this.#of(name)).median.perCpuSecond ?? Number.NaN);
    return profileOf(this.#around, row, { profileSeconds, warmUpSeconds, usPerRequest });
  }

  async #rates(name: SubjectName, row: RatesRow): Promise<string> {
    const { rates, rateSeconds } = this.#plan;
    const warmUpSeconds = RATE_WARM_UP_SECONDS;
    const stand = await this.#stand(row, rates.length * (rateSeconds + warmUpSeconds));
    try {
      for (const ratePerSecond of rates) {
        const measured = await stand.measure({ seconds: rateSeconds, warmUpSeconds, ratePerSecond });
        const point = ratePointOf(ratePerSecond, measured);
        this.#add(name, { rates: [...(this.#of(name).rates ?? []), point] });
        if (point.perSecond < ratePerSecond * REACHED) break;
      }
    } finally {
      await stand.end();
    }
    return `${this.#of(name).rates?.length ?? 0} rates`;
  }

  #of(name: SubjectName): Gathered {
    return this.#gathered.get(name) ?? { samples: [] };
  }

  #add(name: SubjectName, more: Partial<Gathered>): void {
    this.#gathered.set(name, { ...this.#of(name), ...more });
  }

  async #skipMissing(): Promise<void> {
    for (const [name, row] of this.#plan.rows) {
      const { isAvailable } = row.kind === 'operation' ? primitiveRow(row.primitive) : peerRow(row.peer);
      const why = await isAvailable();
      if (why !== undefined) this.#add(name, { skipped: why });
    }
  }

  async #endKept(): Promise<void> {
    const stands = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.allSettled(stands.map(stand => stand.end()));
  }
}

const firstLine = (text: string): string => text.split('\n').slice(0, 2).join(' ').slice(0, 300);
