/**
 * Shows how far a run is: on a terminal one line that is written over, with what is being measured and how long it may still
 * take, and what came of each measurement above it; elsewhere a line for each.
 */
import type { Progress } from '../engine/run.ts';
import type { Sample } from '../results.ts';
import { figure } from './numbers.ts';

export type Shown = { readonly tell: (progress: Progress) => void; readonly end: () => void };

const CLEAR_LINE = '\r\u001b[2K';

/** As much of a terminal, or of a file, as is needed. */
export type Screen = { readonly isTTY?: boolean; readonly write: (text: string) => boolean };

export function progressTo(stream: Screen, now: () => number = () => performance.now()): Shown {
  const begun = now();
  return {
    tell: progress => {
      const { step, steps, stage, what, outcome, problem } = progress;
      const place = `[${String(step).padStart(String(steps).length)}/${steps}] ${stage}`;
      if (outcome !== undefined || problem !== undefined) {
        stream.write(`${stream.isTTY ? CLEAR_LINE : ''}${place}  ${what.padEnd(40)} ${problem ?? said(outcome)}\n`);
      } else if (stream.isTTY) {
        stream.write(`${CLEAR_LINE}${place}  ${what} …${left(step, steps, now() - begun)}`);
      }
    },
    end: () => void (stream.isTTY && stream.write(CLEAR_LINE)),
  };
}

/** So many measurements say how long one takes. */
const TELLING_STEPS = 4;

function left(step: number, steps: number, elapsedMs: number): string {
  if (step <= TELLING_STEPS) return '';
  const seconds = Math.round((elapsedMs / 1000 / (step - 1)) * (steps - step + 1));
  return seconds < 90 ? `  about ${seconds} s left` : `  about ${Math.round(seconds / 60)} min left`;
}

function said(outcome: Sample | string | undefined): string {
  if (outcome === undefined || typeof outcome === 'string') return outcome ?? '';
  const { figures, flaws } = outcome;
  const parts = [
    [figure(figures, 'perCpuSecond'), '/CPU-s'],
    [figure(figures, 'perSecond'), '/s'],
    [figure(figures, 'p99Us'), ' p99'],
    [figure(figures, 'startMs'), ' to listening'],
    [figure(figures, 'idleMiB'), ' idle'],
  ];
  const shown = parts.filter(([value]) => value !== '').map(([value, unit]) => `${value}${unit}`);
  return [...shown, ...flaws.map(flaw => `! ${flaw}`)].join('  ');
}
