/**
 * The tables of a run about growth: made once, written to the console in Markdown and to the file of results as they are.
 */

export type Table = {
  readonly title: string;
  /** How it was measured, and what was not. */
  readonly notes: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** The first column is text, the others are numbers. */
export function markdownOf({ title, notes, head, rows }: Table): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  const lines = [head, rule, ...rows].map(cells => `| ${cells.join(' | ')} |`);
  return [`### ${title}`, '', ...lines, '', ...notes.map(note => `- ${note}`), ''].join('\n');
}

const THOUSANDS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 as `1,234,567`. */
export const grouped = (value: number): string => THOUSANDS.format(value);

/** Microseconds as milliseconds, to a hundredth. */
export const inMs = (us: number): string => (us / 1000).toFixed(2);
