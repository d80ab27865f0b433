import type { SizeRange } from './bounds.ts';
import type { CeilingLimit } from './propose.ts';
import { isWithin, type TrialRecord } from './trial.ts';

/** What a reason is made of. */
export interface Finding {
  readonly batchSize: number | null;
  readonly limitedBy: CeilingLimit;
  readonly budgetBytes: number | null;
  readonly safety: number;
  readonly trials: readonly TrialRecord[];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toPrecision(4)} MB`;

/** Why the ceiling is what it is, in one sentence for a person. */
export function explainCeiling(finding: Finding, range: SizeRange): string {
  const { batchSize, trials } = finding;
  if (batchSize === null) return `No size trained: ${explainNothing(finding, range)}`;
  const found = trials.find((trial) => trial.batchSize === batchSize && isWithin(trial));
  const taken = found?.peak ? ` and took ${megabytes(found.peak.peakBytes)}` : '';
  const proved = found?.canaryDeviation == null ? '' : ' right';
  return `${batchSize} examples trained${proved}${taken}; ${explainLimit(finding, range)}.`;
}

function explainLimit(
  { batchSize, limitedBy, budgetBytes, safety, trials }: Finding,
  range: SizeRange,
): string {
  const failed = trials
    .filter((trial) => !isWithin(trial) && trial.batchSize > (batchSize ?? 0))
    .sort((a, b) => a.batchSize - b.batchSize)
    .find((trial) => trial.verdict !== 'overBudget');
  const failure = failed
    ? `${failed.batchSize} did not train: ${failed.message ?? failed.verdict}`
    : undefined;
  const share =
    budgetBytes === null ? undefined : `${(100 * safety).toFixed(0)} % of ${megabytes(budgetBytes)}`;
  switch (limitedBy) {
    case 'memory':
      return (
        failure ??
        (share === undefined ? 'more is not known to fit' : `more is not expected to stay within ${share}`)
      );
    case 'searchBudget':
      return failure ?? `the search ended after ${trials.length} trials, before it met a limit`;
    case 'deviceLimit':
    case 'failure':
      return failure ?? range.reason;
    default:
      return range.reason;
  }
}

function explainNothing({ limitedBy, trials }: Finding, range: SizeRange): string {
  const last = trials.at(-1);
  if (last === undefined) return `${range.reason}, and at least ${range.least} were asked for.`;
  if (limitedBy === 'searchBudget' && last.verdict !== 'timeout')
    return `the search ended after ${trials.length} trials, the last of ${last.batchSize} examples.`;
  return `${last.batchSize} examples are too many already (${last.message ?? last.verdict}).`;
}
