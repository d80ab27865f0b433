import { differsByNature, judgeCanary } from './canary.ts';
import type { PeakReading } from './reading.ts';
import type { TrialOutcome, TrialRecord, TrialRequest } from './trial.ts';

/** What a trial is judged by. */
export interface TrialStandard {
  readonly budgetBytes: number | null;
  readonly canary: 'required' | 'off';
  readonly canaryTolerance: number;
  /** Whether parts differ by nature, as the first trial that fitted showed; undefined before. */
  readonly byNature: boolean | undefined;
  /** Whether a step of this size is expected to fill the memory. */
  readonly fillsMemory: boolean;
}

type Judgement = Omit<TrialRecord, 'seconds'>;

/**
 * The record of a trial, without its time, and what is known of the model's nature after it.
 * @throws RangeError when the trial proves nothing: it ran no step, ran another size than it was asked for, or took no
 *   canary where one is required
 */
export function judgeTrial(
  request: TrialRequest,
  outcome: TrialOutcome,
  standard: TrialStandard,
): { readonly record: Judgement; readonly byNature: boolean | undefined } {
  const { byNature } = standard;
  const blank: Judgement = {
    batchSize: request.batchSize,
    verdict: 'error',
    limit: null,
    peak: null,
    predictedPeakBytes: null,
    steps: 0,
    stepSeconds: null,
    canaryDeviation: null,
    message: null,
  };
  if (outcome.kind === 'lost') {
    const { message } = outcome;
    const lost = standard.fillsMemory ? ({ verdict: 'tooBig', limit: 'memory' } as const) : {};
    return { record: { ...blank, ...lost, message }, byNature };
  }
  if (outcome.kind !== 'trained') {
    const limit = outcome.kind === 'tooBig' ? outcome.limit : null;
    return { record: { ...blank, verdict: outcome.kind, limit, message: outcome.message }, byNature };
  }
  requireProof(request, outcome, standard);
  const { steps, stepSeconds = null, canary } = outcome;
  const peak = believed(outcome.peak);
  const trained = {
    ...blank,
    steps,
    stepSeconds,
    peak,
    message: outcome.peak && !peak ? unbelievable(outcome.peak) : null,
  };
  const taken = standard.canary === 'off' ? null : canary;
  const proof = taken && judgeCanary(taken, standard.canaryTolerance, byNature);
  if (proof?.kind === 'void') return { record: { ...trained, message: proof.message }, byNature };
  if (proof?.kind === 'disagrees') {
    const { deviation, message } = proof;
    // What gave wrong numbers may have taken less memory than a step takes: its reading is not used.
    return {
      record: { ...trained, verdict: 'wrong', peak: null, canaryDeviation: deviation, message },
      byNature,
    };
  }
  const isOver = peak !== null && standard.budgetBytes !== null && peak.peakBytes > standard.budgetBytes;
  const within = standard.canary === 'off' ? 'trained' : 'fits';
  const verdict = isOver ? 'overBudget' : within;
  return {
    record: { ...trained, verdict, canaryDeviation: proof?.deviation ?? null },
    byNature: byNature ?? (taken && !isOver ? differsByNature(taken) : undefined),
  };
}

function requireProof(
  { batchSize, referenceSize }: TrialRequest,
  { steps, examples, canary }: Extract<TrialOutcome, { kind: 'trained' }>,
  standard: TrialStandard,
): void {
  if (!(steps >= 1))
    throw new RangeError(
      `The trial of batch size ${batchSize} ran ${steps} steps; it proves nothing unless it runs at least one.`,
    );
  if (examples !== batchSize)
    throw new RangeError(
      `The trial of batch size ${batchSize} ran steps of ${examples} examples; it must run the size it was asked for. ` +
        'Where the examples run out, say how many there are by datasetSize.',
    );
  if (standard.canary === 'required' && referenceSize !== null && canary === null)
    throw new RangeError(
      `The trial of batch size ${batchSize} took no canary, so it ran but is not known to have trained right. ` +
        "Compare it with the same examples in parts of referenceSize, or set canary to 'off'.",
    );
}

/** No training step takes no memory: a reading of 0, or of no number, is a reading that failed. */
const believed = (peak: PeakReading | null): PeakReading | null =>
  peak && Number.isFinite(peak.peakBytes) && peak.peakBytes > 0 ? peak : null;

const unbelievable = ({ source, peakBytes }: PeakReading): string =>
  `The reading of ${peakBytes} bytes by ${source} was not believed.`;
