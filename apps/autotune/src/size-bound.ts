import { largestBatchSize } from '@batchwise/tuner';
import { count } from './format.ts';
import { policyOptions } from './policy-options.ts';
import type { TrainCommandOptions } from './train-options.ts';

/** What holds in place of a `--max-batch-size` that is above it, and why; undefined where none is. */
export function sizeBoundText(options: TrainCommandOptions, trainExamples: number): string | undefined {
  const { policy, batchSize, maxBatchSize, epochs } = options;
  if (policy === 'fixed' || maxBatchSize === undefined) return undefined;
  const planned = epochs * trainExamples;
  const boundOf = (plannedExamples: number | undefined): number =>
    largestBatchSize(policy, policyOptions(options), { datasetSize: trainExamples, plannedExamples });
  const bound = boundOf(planned);
  if (bound >= maxBatchSize) return undefined;
  return `at most ${count(bound)}, ${reason()}, although --max-batch-size is ${count(maxBatchSize)}`;

  function reason(): string {
    const [ofData, ofRun] = [`the ${count(trainExamples)} training examples`, `the run's ${count(planned)}`];
    if (bound === trainExamples) return `all of ${ofData}`;
    if (bound === batchSize)
      return `which is --batch-size, as a 16th of ${ofData} or a 500th of ${ofRun} is no more`;
    return bound < boundOf(undefined)
      ? `a 500th of ${ofRun} examples, as a run needs many steps too`
      : `a 16th of ${ofData}, as larger batches were seen to generalise worse`;
  }
}
