import type { CompiledOptimizer } from '../compiled-model.ts';
import type { LayersModel, Tf } from '../tf.ts';
import { nativeBackendOf } from './native-backend.ts';
import { foreignCode, isOwnOptimizer } from './own-code.ts';
import { eagerRunner, type StepRunner } from './tensor-work.ts';
import { Tracer, type TraceEvent } from './tracer.ts';

/** How the steps of a model may be run. */
export interface TracingOptions {
  /**
   * Whether steps run as graphs on native TensorFlow: several times as fast for small models, with
   * the same values. By default only where the layers, losses and metrics are TensorFlow.js's own. `true` says that
   * those of yours too depend on nothing but their inputs and their weights; `false` turns it off.
   */
  readonly traced?: boolean;
  /** Told what became a graph, and what did not, and why. */
  readonly onTrace?: (event: TraceEvent) => void;
}

/** The fastest way of running the steps of a model on the engine of `tf`. */
export function stepRunner(
  tf: Tf,
  model: LayersModel,
  options: TracingOptions & { readonly optimizer: CompiledOptimizer },
): StepRunner {
  const backend = options.traced === false ? undefined : nativeBackendOf(tf);
  if (!backend) return eagerRunner(tf);
  const { optimizer, onTrace = () => undefined } = options;
  const found = foreignCode(tf, model);
  const foreign = options.traced === true ? undefined : found;
  return new Tracer(tf, backend, {
    onEvent: onTrace,
    foresees: found === undefined,
    refusal: (part) => {
      if (part === 'update')
        return isOwnOptimizer(tf, optimizer) ? undefined : 'the optimizer is not its own';
      const isModel = part === 'gradient' || part === 'evaluation';
      return isModel && foreign !== undefined ? `${foreign} may do something else each time` : undefined;
    },
  });
}
