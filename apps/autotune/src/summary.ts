import prettyBytes from 'pretty-bytes';
import colors from 'picocolors';
import { count, duration, figure, percent, row } from './format.ts';
import type { RunRecord } from './run-record.ts';

/** The end of a run for a person: how good the model is, what was chosen and why, and where the time went. */
export function summaryOf(record: RunRecord, targetAccuracy?: number): string {
  const lines = [
    outcomeLine(record),
    ...testLine(record),
    ...targetLine(record, targetAccuracy),
    ...batchLines(record),
  ];
  const { totals, memory } = record;
  const share =
    totals.tuningSeconds / Math.max(totals.trainingSeconds + totals.tuningSeconds, Number.MIN_VALUE);
  lines.push(
    row(
      'Time',
      `${duration(totals.trainingSeconds)} training, ${duration(totals.tuningSeconds)} tuning ` +
        `(${percent(share)} of it), ${duration(totals.evaluationSeconds)} evaluating`,
    ),
  );
  if (memory) lines.push(row('Memory', `${prettyBytes(memory.peakBytes)} at most, by the ${memory.source}`));
  return lines.join('\n');
}

function outcomeLine({ status, totals }: RunRecord): string {
  const done = `${count(totals.examples)} examples in ${count(totals.steps)} steps, ${duration(totals.seconds)}`;
  const word = { completed: 'Trained', aborted: 'Interrupted', failed: 'Failed' }[status];
  return colors.bold(row(word, done));
}

function testLine({ test }: RunRecord): string[] {
  return test ? [row('Test', `accuracy ${percent(test.accuracy)}, loss ${figure(test.loss)}`)] : [];
}

function targetLine({ epochs }: RunRecord, target: number | undefined): string[] {
  if (target === undefined) return [];
  const best = Math.max(0, ...epochs.map(({ validationAccuracy }) => validationAccuracy ?? 0));
  const verdict = best >= target ? 'reached' : `not reached, the best was ${percent(best)}`;
  return [row('Target', `validation accuracy ${percent(target)} ${verdict}`)];
}

function batchLines({ plans, policy }: RunRecord): string[] {
  const last = plans.at(-1);
  if (!last) return [];
  const changes = plans.filter(({ batchSize }, i) => batchSize !== plans[i - 1]?.batchSize);
  const sizes = changes.map(({ batchSize }) => count(batchSize)).join(' → ');
  return [row('Batch', `${sizes}  (policy ${policy.name})`), row('', last.reason.text)];
}
