import type {
  AppliedStep,
  BatchController,
  BatchPlan,
  Decision,
  GradientMoments,
  Json,
  RunInfo,
} from '@batchwise/core';

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller). */
export function normal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Moments of `parts` micro-batches whose per-example gradients are Gaussian: mean of length 1, variance `noiseScale` in
 * all, spread evenly over 50 directions (a real network has an effective 30 to 90).
 */
export function gaussianMoments(
  sizes: readonly number[],
  noiseScale: number,
  draw: () => number,
): GradientMoments {
  const directions = 50;
  const gradients = sizes.map((size) =>
    Array.from({ length: directions }, (_, i) => {
      const mean = i === 0 ? 1 : 0;
      return mean + Math.sqrt(noiseScale / directions / size) * draw();
    }),
  );
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  let crossProduct = 0;
  gradients.forEach((a, j) =>
    gradients.forEach((b, k) => {
      if (j < k) crossProduct += (sizes[j] ?? 0) * (sizes[k] ?? 0) * dot(a, b);
    }),
  );
  return { sizes, squaredNorms: gradients.map((g) => dot(g, g)), crossProduct };
}

/**
 * A training run without a network: step time α per micro-batch + β per example, steps worth B/(B^q + φc^q)^(p/q) each.
 */
export interface Plant {
  /** α, seconds. */
  readonly fixedSeconds: number;
  /** β, seconds. */
  readonly secondsPerExample: number;
  /** φ in examples, at this moment. */
  readonly noiseScale: (plan: BatchPlan, progress: number) => number;
  /** φc/φ. */
  readonly criticalBatchFactor: number;
  /** p and q. Default 1. */
  readonly examplesExponent?: number;
  readonly examplesSharpness?: number;
  /** Standard deviation of ln T. Default 0.05. */
  readonly timeNoise?: number;
  /** Steps after which the program's own warm-up, 3 T at first, is down to a third of it; none by default. */
  readonly warmUpSteps?: number;
  /** First step of a size, in addition: this many α. Default 20. */
  readonly firstUseSteps?: number;
  readonly seed?: number;
  /** More examples than this on the device at once fail; no bound by default. */
  readonly fits?: number;
}

export interface PlantStep {
  readonly plan: BatchPlan;
  readonly seconds: number;
  readonly firm: boolean;
  readonly measured: boolean;
  readonly outcome: AppliedStep;
  readonly code: string;
  readonly text: string;
}

export interface PlantRun {
  readonly steps: readonly PlantStep[];
  readonly seconds: number;
  readonly progress: number;
  /** α for each launch more than the plan alone would have had. */
  readonly measuringSeconds: number;
  /** Steps that ran out of memory. */
  readonly failures: number;
}

/** Runs the plant under a controller, as the loop of core does, until the progress or the examples are reached. */
export function runPlant<State extends Json>(
  controller: BatchController<State>,
  plant: Plant,
  { progress: target = Infinity, ...run }: RunInfo & { readonly progress?: number },
): PlantRun {
  const draw = normal(uniform(plant.seed ?? 1));
  const limit = run.plannedExamples ?? Infinity;
  const steps: PlantStep[] = [];
  const visited = new Set<string>();
  let decision: Decision<State> = controller.start(run);
  let [totalExamples, progress, seconds, measuringSeconds, stepsAtPlan, failures] = [0, 0, 0, 0, 0, 0];
  while (progress < target && totalExamples < limit) {
    const { plan, measure } = decision;
    const epochLeft = run.datasetSize ? run.datasetSize - (totalExamples % run.datasetSize) : Infinity;
    const examples = Math.min(plan.batchSize, epochLeft, limit - totalExamples);
    const noiseScale = plant.noiseScale(plan, progress);
    const plainParts = Math.ceil(examples / plan.microBatchSize);
    const measured = measure.includes('gradient') && examples > 1;
    const parts = measured ? Math.max(2, plainParts) : plainParts;
    const microBatchSize = Math.ceil(examples / parts);
    if (microBatchSize > (plant.fits ?? Infinity)) {
      const failed = {
        kind: 'outOfMemory',
        plan,
        microBatchSize,
        cause: new Error('out of memory'),
      } as const;
      const recovery = controller.recover(failed, decision.state);
      if (recovery.kind === 'giveUp') throw new Error(recovery.message);
      decision = recovery.decision;
      [failures, stepsAtPlan] = [failures + 1, 0];
      continue;
    }
    const isNew = !visited.has(`${plan.batchSize}/${plan.microBatchSize}`);
    visited.add(`${plan.batchSize}/${plan.microBatchSize}`);
    const usual = parts * plant.fixedSeconds + examples * plant.secondsPerExample;
    const warming = plant.warmUpSteps ? 3 * Math.exp(-steps.length / plant.warmUpSteps) : 0;
    const took =
      usual * (1 + warming) * Math.exp((plant.timeNoise ?? 0.05) * draw()) +
      (isNew ? (plant.firstUseSteps ?? 20) * plant.fixedSeconds : 0);
    totalExamples += examples;
    progress += worth(plant, noiseScale, examples);
    seconds += took;
    measuringSeconds += (parts - plainParts) * plant.fixedSeconds;
    const outcome: AppliedStep = {
      kind: 'applied',
      plan,
      examples,
      microBatchSize,
      totalExamples,
      warm: stepsAtPlan > 0,
      loss: 1,
      seconds: took,
      ...(measured && { gradient: gaussianMoments(equalParts(examples, parts), noiseScale, draw) }),
    };
    const { code, text } = decision.reason;
    steps.push({ plan, seconds: took, firm: decision.firm ?? false, measured, outcome, code, text });
    const next = controller.next(outcome, decision.state);
    const same = next.plan.batchSize === plan.batchSize && next.plan.microBatchSize === plan.microBatchSize;
    stepsAtPlan = same ? stepsAtPlan + 1 : 0;
    decision = next;
  }
  return { steps, seconds, progress, measuringSeconds, failures };
}

/** Where p is below 1 a step is worth the more, the larger it is: in units of a step of so many examples without noise. */
const UNIT = 1000;

/** What a step of so many examples is worth. */
const worth = (
  { criticalBatchFactor, examplesExponent: p = 1, examplesSharpness: q = 1 }: Omit<Plant, 'noiseScale'>,
  noiseScale: number,
  examples: number,
): number =>
  (examples * UNIT ** (p - 1)) / (examples ** q + (criticalBatchFactor * noiseScale) ** q) ** (p / q);

function equalParts(examples: number, parts: number): readonly number[] {
  const size = Math.ceil(examples / parts);
  const sizes: number[] = [];
  for (let left = examples; left > 0; left -= size) sizes.push(Math.min(size, left));
  return sizes;
}

/** Simulated seconds of the best power of two held for the whole run, for a constant noise scale. */
export function bestFixed(
  plant: Omit<Plant, 'noiseScale'>,
  noiseScale: number,
  { progress, min, max }: { progress: number; min: number; max: number },
): { readonly batchSize: number; readonly seconds: number } {
  let best = { batchSize: min, seconds: Infinity };
  for (let batchSize = min; batchSize <= max; batchSize *= 2) {
    const steps = progress / worth(plant, noiseScale, batchSize);
    const seconds = steps * (plant.fixedSeconds + plant.secondsPerExample * batchSize);
    if (seconds < best.seconds) best = { batchSize, seconds };
  }
  return best;
}
