/**
 * What a run of the bench has found, as it is written to `results.json` and read by the report. Figures are plain numbers
 * with the unit in their name; whatever was not measured is absent rather than 0.
 */

/**
 * One number of one measurement. `perCpuSecond`: requests, or operations, per CPU-second of the subject's processes (user
 * and system time). `perSecond`: per second of the wall. `goodPerSecond`: only answers that did what was asked.
 * `p50Us` to `p999Us`: latency in microseconds. `rssMiB`: resident memory at the end of the load. `startMs`: from the start
 * of the process until its port accepts. `idleMiB`: resident memory before any load.
 */
export type Metric =
  | 'perCpuSecond'
  | 'perSecond'
  | 'goodPerSecond'
  | 'p50Us'
  | 'p99Us'
  | 'p999Us'
  | 'rssMiB'
  | 'startMs'
  | 'idleMiB';

export type Figures = Readonly<Partial<Record<Metric, number>>>;

/** How often a latency was seen: microseconds, count; ascending. */
export type Histogram = readonly (readonly [us: number, count: number])[];

/** One subject measured once. */
export type Sample = {
  /** From 1. */
  readonly round: number;
  readonly figures: Figures;
  /** Requests answered, or operations done. */
  readonly count: number;
  /** Answers that did not do what was asked, and requests without an answer. */
  readonly failed: number;
  readonly histogram?: Histogram;
  /** Why the numbers must not be believed, in words: too many failures, prepared messages used up. */
  readonly flaws: readonly string[];
};

/** A share of the CPU time of one request, or of the one start of a process, charged to a package or to a part of the project. */
export type CpuPart = { readonly name: string; readonly share: number; readonly usPerRequest: number };

/** One rate of an open loop: what was asked for, what was reached, what it took. */
export type RatePoint = {
  readonly offeredPerSecond: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
};

/** Everything about one subject. */
export type SubjectResult = {
  readonly name: string;
  readonly what: string;
  /** Why it was not measured, in words. */
  readonly skipped?: string;
  readonly samples: readonly Sample[];
  /** The median of the samples without flaws, metric by metric; of all, where each has some. */
  readonly median: Figures;
  /** The histograms of the same samples, added up. */
  readonly histogram?: Histogram;
  readonly cpuParts?: readonly CpuPart[];
  /** Throughput against latency, by ascending rate. */
  readonly rates?: readonly RatePoint[];
};

/**
 * What may be said about a target. `aim`: reached even the aim. `met`: at least what is asked. `missed`. `noise`: the rounds
 * differ by more than the distance to the target, so nothing may be said. `unmeasured`: nothing to say it from.
 */
export type Conclusion = 'aim' | 'met' | 'missed' | 'noise' | 'unmeasured';

export type Verdict = {
  readonly target: string;
  /** The subject whose figure is judged; absent where another command measures it. */
  readonly subject?: string;
  /** When and where another command has measured it; absent where this run has. */
  readonly measured?: Occasion;
  /** How it was made, or which command measures it. */
  readonly how: string;
  readonly unit: 'ratio' | 'ms' | 'MiB' | '%';
  /** Whether a smaller value is the better one. */
  readonly smallerIsBetter: boolean;
  readonly atLeast: number;
  readonly aim: number;
  /** Median of the rounds; absent where it was not measured. */
  readonly value?: number;
  /** Each round's value, in the order of the rounds. */
  readonly rounds: readonly number[];
  readonly conclusion: Conclusion;
  /** Why nothing may be said, or what to know about the number. */
  readonly note: string;
};

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Load average of the last minute before the run: what else was going on. */
  readonly loadBefore: number;
  /** Name and version of every program and package that was measured with. */
  readonly versions: Readonly<Record<string, string>>;
};

/** When and where something was measured. */
export type Occasion = {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machine: Machine;
};

export type BenchResult = Occasion & {
  readonly tookSeconds: number;
  readonly quick: boolean;
  readonly rounds: number;
  /** How the measurements were made, one sentence each. */
  readonly method: readonly string[];
  /** What makes the numbers worth less than they look, in words. */
  readonly warnings: readonly string[];
  readonly subjects: readonly SubjectResult[];
  readonly verdicts: readonly Verdict[];
};
