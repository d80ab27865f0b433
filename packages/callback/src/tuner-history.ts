import type { TimeTotals } from '@batchwise/core';
import type { BatchChange, BatchHistory, Recorder } from './batch-history.ts';
import { figure } from './format.ts';
import type { TuningSession } from './tuning-session.ts';

/** What became of the batch in a loop of your own, so far. It tells of no epochs, so nothing here is by epoch. */
export interface TunerHistory extends Pick<BatchHistory, 'noise'> {
  /** The first plan and each later one, with the reason; in a run that is resumed from where that goes on. */
  readonly changes: readonly Omit<BatchChange, 'epoch'>[];
  /**
   * Where the time went since the tuner was made: steps as reported, and beside them the tuner and steps that failed. What else
   * the loop does, as its validation, is in `seconds` alone, which the clock counts.
   */
  readonly totals: TimeTotals;
  /** A few lines for a person, at any time: what ran since the tuner was made, why, what it cost, and where to start the next time. */
  summary(): string;
}

/** What a session and the recorder of its steps come to. */
export function tunerHistory(recorder: Recorder, session: TuningSession): TunerHistory {
  const begun = session.progress;
  return {
    get changes() {
      return recorder.changes;
    },
    get noise() {
      return recorder.noise;
    },
    get totals() {
      return session.totals;
    },
    summary() {
      const { step, examples } = session.progress;
      return recorder.summaryOf({
        step: step - begun.step,
        examples: examples - begun.examples,
        totals: session.totals,
        rate: `${figure(session.decision.plan.learningRateScale)} times yours now`,
      });
    },
  };
}
