import { isWithin, type MemoryFit } from '@batchwise/memory-probe';
import colors from 'picocolors';
import prettyBytes from 'pretty-bytes';
import { count, duration, percent, row } from './format.ts';
import type { Budget } from './memory/budget.ts';
import type { TimedCeiling, TimedTrial } from './memory/search.ts';

const OUTCOMES: Readonly<Record<TimedTrial['verdict'], string>> = {
  fits: 'fits',
  trained: 'trained',
  overBudget: 'over budget',
  tooBig: 'out of memory',
  wrong: 'WRONG numbers',
  timeout: 'too slow',
  error: 'failed',
};

const WIDTHS = [9, 13, 13, 11, 13];

const cells = (texts: readonly string[]): string =>
  texts
    .map((text, i) => (i < WIDTHS.length ? text.padStart(WIDTHS[i] ?? 0) : `  ${text}`))
    .join('')
    .trimEnd();

/** The headings of the table of trials: up to 80 columns. */
export const trialHeadings = (): string =>
  colors.bold(cells(['Batch', 'Expected', 'Measured', 'Step', 'Examples/s', 'Outcome']));

/** One trial as a line of the table. */
export function trialLine(trial: TimedTrial): string {
  const { batchSize, predictedPeakBytes, peak, stepSeconds, examplesPerSecond, verdict } = trial;
  const size = (value: number | null | undefined): string => (value == null ? '–' : prettyBytes(value));
  return cells([
    count(batchSize),
    size(predictedPeakBytes),
    size(peak?.peakBytes),
    stepSeconds === null ? '–' : duration(stepSeconds),
    examplesPerSecond === null ? '–' : count(examplesPerSecond),
    OUTCOMES[verdict],
  ]);
}

/** What bounds the search, before it begins. */
export const budgetLine = ({ bytes, source }: Budget): string =>
  row('Budget', bytes === undefined ? source : `${prettyBytes(bytes)}, ${source}`);

/** The end of a search for a person: the fit, the ceiling and why. */
export function ceilingText({ fit, batchSize, reason, trials }: TimedCeiling): string {
  const fastest = trials
    .filter(isWithin)
    .reduce<TimedTrial | undefined>((best, next) => (speed(next) > speed(best) ? next : best), undefined);
  return [
    row('Memory', fit ? fitText(fit) : 'too few readings, or too flat, for a prediction'),
    colors.bold(row('Ceiling', batchSize === null ? 'none' : `${count(batchSize)} examples at once`)),
    row('', reason),
    ...(fastest
      ? [row('Fastest', `${count(fastest.batchSize)}, ${count(speed(fastest))} examples/s of those tried`)]
      : []),
  ].join('\n');
}

const speed = (trial: TimedTrial | undefined): number => trial?.examplesPerSecond ?? 0;

function fitText({ floorBytes, interceptBytes, bytesPerExample, relativeError }: MemoryFit): string {
  const floor = floorBytes > 0 ? `at least ${prettyBytes(floorBytes)}; ` : '';
  const line = `${prettyBytes(interceptBytes)} + ${prettyBytes(bytesPerExample)} for each example`;
  return `${floor}${line}, to ${percent(relativeError)}`;
}
