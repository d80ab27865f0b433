import type { BatchController } from './controller.ts';
import type { Json } from './json.ts';
import type { Checkpoint } from './options.ts';
import { TrainingError } from './training-error.ts';

const HINT = 'Give the checkpoint that a run returned, as it was, or start anew without resumeFrom.';

/** Checkpoints come from files: what they hold may be anything. */
type Unchecked = { readonly [Key in string]?: unknown };

const isObject = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;
const isCount = (value: unknown, least = 0): value is number =>
  Number.isInteger(value) && Number(value) >= least;
const isRate = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const refuse = (what: string, value: unknown): never => {
  throw new TrainingError('invalidOptions', `${what} is ${JSON.stringify(value) ?? 'missing'}.`, {
    hint: HINT,
  });
};

/**
 * Refuses what no run returned, and one over more examples than there are.
 * @throws TrainingError `invalidOptions`
 */
export function checkCheckpoint(checkpoint: Checkpoint<Json>, datasetSize = Infinity): void {
  checkResumable(checkpoint, ['epoch', 'examplesIntoEpoch', 'step', 'examples']);
  const { examplesIntoEpoch } = checkpoint;
  if (examplesIntoEpoch > datasetSize)
    throw new TrainingError(
      'invalidOptions',
      `The checkpoint is ${examplesIntoEpoch} examples into an epoch of ${datasetSize}.`,
      { hint: 'Resume over the examples that the run was stopped on.' },
    );
}

/**
 * Refuses what a run cannot go on from: whole numbers by these names, and a decision, are needed.
 * @throws TrainingError `invalidOptions`
 */
export function checkResumable(from: unknown, counts: readonly string[]): void {
  if (!isObject(from)) return refuse('resumeFrom', from);
  for (const name of counts) if (!isCount(from[name])) refuse(`resumeFrom.${name}`, from[name]);
  const { decision } = from;
  if (!isObject(decision) || !('state' in decision)) return refuse('resumeFrom.decision', decision);
  const { plan, reason, measure } = decision;
  const isPlan = isObject(plan) && isCount(plan['batchSize'], 1) && isCount(plan['microBatchSize'], 1);
  if (!isPlan || !isRate(plan['learningRateScale'])) refuse('resumeFrom.decision.plan', plan);
  if (!isObject(reason) || typeof reason['text'] !== 'string') refuse('resumeFrom.decision.reason', reason);
  if (!Array.isArray(measure)) refuse('resumeFrom.decision.measure', measure);
}

/**
 * The controller of a run that may go on from an earlier one: where it cannot read the state of that one, its first answer is a
 * TrainingError `invalidOptions`.
 */
export const resumedController = <State extends Json>({
  controller,
  resumeFrom,
}: {
  readonly controller: BatchController<State>;
  readonly resumeFrom?: { readonly step: number } | undefined;
}): BatchController<State> => (resumeFrom?.step ? resuming(controller) : controller);

/**
 * A controller that is handed a state from elsewhere: where it cannot read that, the error says what to do. Only its first
 * answer tells, since states are the controllers' own.
 */
function resuming<State extends Json>(inner: BatchController<State>): BatchController<State> {
  let hasAnswered = false;
  const answered = <Answer>(ask: () => Answer): Answer => {
    if (hasAnswered) return ask();
    try {
      const answer = ask();
      hasAnswered = true;
      return answer;
    } catch (cause) {
      throw new TrainingError(
        'invalidOptions',
        `Controller ${inner.name} cannot go on from the state in the checkpoint.`,
        { hint: 'Resume with the controller and the options that the run was stopped with.', cause },
      );
    }
  };
  return {
    name: inner.name,
    measures: inner.measures,
    ...(inner.restores && { restores: true }),
    start: (run) => inner.start(run),
    next: (step, state) => answered(() => inner.next(step, state)),
    recover: (step, state) => answered(() => inner.recover(step, state)),
  };
}
