import type {
  AppliedStep,
  BatchController,
  Decision,
  FailedStep,
  Json,
  Observer,
  RunInfo,
  SecondMoment,
} from '@batchwise/core';

/** A failed step without its cause, which no controller reads. */
export type TracedFailure = Omit<FailedStep, 'cause'>;

/** Inner products of gradients; null stands for a number that is not finite. */
export interface TracedGradient {
  readonly sizes: readonly number[];
  readonly squaredNorms: readonly (number | null)[];
  readonly crossProduct: number | null;
  readonly penalty?: { readonly squaredNorm: number | null; readonly products: readonly (number | null)[] };
}

/** An applied step as JSON keeps it. */
export type TracedStep = Omit<AppliedStep, 'gradient'> & { readonly gradient?: TracedGradient };

/** All that a controller was told in a run, from its start: enough to ask it again. Survives JSON. */
export interface RunTrace {
  readonly schema: 'batchwise.trace/1';
  /** What the run went on from; null of one that began anew. */
  readonly from: Decision<Json> | null;
  readonly run: {
    readonly datasetSize: number | null;
    readonly plannedExamples: number | null;
    readonly seed: number;
    readonly secondMoment: SecondMoment | null;
  };
  readonly outcomes: readonly (TracedStep | TracedFailure)[];
}

/** Writes a run's trace. */
export interface RunTracer {
  readonly observer: Observer;
  /** What was seen so far, undefined before the run started. */
  trace(): RunTrace | undefined;
}

/**
 * An observer that writes down what the controller is told. Some 200 bytes per step.
 * @param from of a run that goes on (`resumeFrom`), the decision of its checkpoint
 */
export function runTracer(from: Decision<Json> | null = null): RunTracer {
  let info: RunInfo | undefined;
  const outcomes: (TracedStep | TracedFailure)[] = [];
  return {
    observer: {
      name: 'run tracer',
      onRunStarted: ({ run }) => void (info = run),
      onStepFinished: ({ outcome }) => void outcomes.push(tracedStep(outcome)),
      onStepFailed({ outcome: { kind, plan, microBatchSize } }) {
        // A lost device is the backend's business: the controller is not asked.
        if (kind !== 'deviceLost') outcomes.push({ kind, plan, microBatchSize });
      },
    },
    trace: () =>
      info && {
        schema: 'batchwise.trace/1',
        from,
        run: {
          datasetSize: info.datasetSize ?? null,
          plannedExamples: info.plannedExamples ?? null,
          seed: info.seed,
          secondMoment: info.secondMoment ?? null,
        },
        outcomes,
      },
  };
}

/**
 * What the controller decides on the way through a trace, the first decision included: the same measurements give the
 * same decisions, so that the plans are those of the run itself, where it is the same controller. Ends early where the
 * controller gives up.
 */
export function replay<State extends Json>(
  controller: BatchController<State>,
  { run, from, outcomes }: RunTrace,
): readonly Decision<State>[] {
  const { datasetSize, plannedExamples, seed, secondMoment } = run;
  const info = {
    datasetSize: datasetSize ?? undefined,
    plannedExamples: plannedExamples ?? undefined,
    seed,
    secondMoment: secondMoment ?? undefined,
  };
  // The state is that of the same controller, as where a run goes on.
  let decision = (from as Decision<State> | null) ?? controller.start(info);
  const decisions = [decision];
  for (const outcome of outcomes) {
    const next = answer(controller, outcome, decision.state);
    if (!next) break;
    decision = next;
    decisions.push(decision);
  }
  return decisions;
}

function answer<State extends Json>(
  controller: BatchController<State>,
  outcome: TracedStep | TracedFailure,
  state: State,
): Decision<State> | undefined {
  if (outcome.kind === 'applied') return controller.next(revived(outcome), state);
  const recovery = controller.recover({ ...outcome, cause: undefined }, state);
  return recovery.kind === 'retry' ? recovery.decision : undefined;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function tracedStep({ gradient, ...step }: AppliedStep): TracedStep {
  if (!gradient) return step;
  const { sizes, squaredNorms, crossProduct, penalty } = gradient;
  return {
    ...step,
    gradient: {
      sizes,
      squaredNorms: squaredNorms.map(finite),
      crossProduct: finite(crossProduct),
      ...(penalty && {
        penalty: { squaredNorm: finite(penalty.squaredNorm), products: penalty.products.map(finite) },
      }),
    },
  };
}

const number = (value: number | null): number => value ?? NaN;

function revived({ gradient, ...step }: TracedStep): AppliedStep {
  if (!gradient) return step;
  const { sizes, squaredNorms, crossProduct, penalty } = gradient;
  return {
    ...step,
    gradient: {
      sizes,
      squaredNorms: squaredNorms.map(number),
      crossProduct: number(crossProduct),
      ...(penalty && {
        penalty: { squaredNorm: number(penalty.squaredNorm), products: penalty.products.map(number) },
      }),
    },
  };
}
