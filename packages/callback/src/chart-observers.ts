import type { BatchPlan, Observer, RunEvents } from '@batchwise/core';
import { addSample, noiseScale, type NoiseScaleState } from '@batchwise/noise-scale';

const HORIZON_EXAMPLES = 8192;

/** A writer of TensorBoard summaries, as `tf.node.summaryFileWriter(folder)` is one. */
export interface SummaryWriter {
  scalar(name: string, value: number, step: number): void;
  flush?(): void;
}

/**
 * Writes the run to TensorBoard, by update: `batchwise/batch_size`, `batchwise/learning_rate_scale`,
 * `batchwise/step_seconds` and, where it was measured and is known, `batchwise/noise_scale`.
 */
export function tensorBoardObserver(writer: SummaryWriter): Observer {
  let noise: NoiseScaleState | undefined;
  return {
    name: 'TensorBoard',
    onRunStarted: () => void (noise = undefined),
    onStepFinished({ step, outcome, learningRateScale }) {
      writer.scalar('batchwise/batch_size', outcome.examples, step);
      writer.scalar('batchwise/learning_rate_scale', learningRateScale, step);
      if (outcome.seconds !== undefined) writer.scalar('batchwise/step_seconds', outcome.seconds, step);
      if (!outcome.gradient) return;
      noise = addSample(noise, outcome.gradient, { horizonExamples: HORIZON_EXAMPLES });
      const estimate = noiseScale(noise);
      if (estimate.known) writer.scalar('batchwise/noise_scale', estimate.noiseScale, step);
    },
    onRunFinished: () => writer.flush?.(),
  };
}

/** The part of `@tensorflow/tfjs-vis` that is used; `Surface` is what it draws on. */
export interface Tfvis<Surface> {
  readonly render: {
    linechart(
      surface: Surface,
      data: { values: { x: number; y: number }[][]; series: string[] },
      options: { xLabel: string; yLabel: string },
    ): unknown;
  };
}

/**
 * Draws the batch size over the examples with tfjs-vis, anew with each change, epoch and end of the run:
 * `tfvisObserver(tfvis, { name: 'Batch size', tab: 'Training' })`.
 */
export function tfvisObserver<Surface>(tfvis: Tfvis<Surface>, surface: Surface): Observer {
  let points: { x: number; y: number }[] = [];
  const draw = async (): Promise<void> => {
    const data = { values: [[...points]], series: ['batch size'] };
    await tfvis.render.linechart(surface, data, { xLabel: 'examples', yLabel: 'batch size' });
  };
  const upTo = (x: number): void => void points.push({ x, y: points.at(-1)?.y ?? NaN });
  const step = ({ examples, to }: { examples: number; to: BatchPlan }): void => {
    upTo(examples);
    points.push({ x: examples, y: to.batchSize });
  };
  return {
    name: 'tfjs-vis',
    onRunStarted: ({ plan }: RunEvents['runStarted']) => void (points = [{ x: 0, y: plan.batchSize }]),
    async onPlanChanged(event) {
      step(event);
      await draw();
    },
    async onEpochFinished({ examples }) {
      upTo(examples);
      await draw();
    },
  };
}
