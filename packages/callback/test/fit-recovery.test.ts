import type { BatchController, Json, Observer } from '@batchwise/core';
import { expectNoLeak } from '@batchwise/testing';
import { withGuard } from '@batchwise/tuner';
import { describe, expect, it } from 'vitest';
import { batchwise, fit, type FitArgs } from '../src/index.ts';
import { roundedHistory } from './recording.ts';
import { always, classifier, furthest, loadTf, tensorsOf, weightsOf, type Model } from './support.ts';

/*
 * A step of fit that fails: its examples are tried again, and the training ends where one without the failure does.
 */
const tf = await loadTf();
const COUNT = 48;
const BATCH = 12;
const { xs, ys } = tensorsOf(tf, COUNT);

/** Sums of gradients in parts, over a dozen updates. */
const SUMMATION_ORDER = 1e-6;

type Values = ReturnType<typeof tf.metrics.categoricalCrossentropy>;

/** What becomes of the losses of the n-th part that is computed, counted from 0. */
type Mishap = (losses: Values, n: number) => Values;

const well: Mishap = (losses) => losses;

const nanAt =
  (...at: readonly number[]): Mishap =>
  (losses, n) =>
    at.includes(n) ? tf.mul(losses, NaN) : losses;

const outOfMemoryAt = (at: number, pass: 'forward' | 'gradient'): Mishap => {
  // As V8 refuses a typed array to the engine in plain JavaScript.
  const refuse = (): never => {
    throw new RangeError('Array buffer allocation failed');
  };
  const failing = tf.customGrad((losses) => ({
    value: pass === 'forward' ? refuse() : (losses as Values).clone(),
    gradFunc: refuse,
  }));
  return (losses, n) => (n === at ? (failing(losses) as Values) : losses);
};

function modelWith(mishap: Mishap): Model {
  const optimizer = tf.train.adam(0.02);
  const model = classifier(tf, optimizer);
  let parts = 0;
  model.compile({
    optimizer,
    loss: (target, output) => mishap(tf.metrics.categoricalCrossentropy(target, output) as Values, parts++),
    metrics: ['accuracy'],
  });
  return model;
}

interface Outcome {
  readonly weights: readonly number[];
  /** Kinds of failures, and codes of the plans that followed. */
  readonly codes: readonly string[];
  /** Examples on the device at once and the factor on the rate, of each update. */
  readonly updates: readonly (readonly [microBatchSize: number, learningRateScale: number])[];
  readonly history: Parameters<typeof roundedHistory>[0];
}

async function trained(
  mishap: Mishap,
  tuner: NonNullable<FitArgs['tuner']>,
  args: Partial<FitArgs> = {},
): Promise<Outcome> {
  const model = modelWith(mishap);
  const codes: string[] = [];
  const updates: (readonly [number, number])[] = [];
  const watch: Observer = {
    name: 'watch',
    onStepFailed: ({ outcome }) => void codes.push(outcome.kind),
    onPlanChanged: ({ reason }) => void codes.push(reason.code),
    onStepFinished: ({ outcome, learningRateScale }) =>
      void updates.push([outcome.microBatchSize, learningRateScale]),
  };
  const all = { tf, epochs: 3, batchSize: BATCH, verbose: 0, ...args } as const;
  try {
    const { epoch, history } = await fit(model, xs, ys, { ...all, tuner: { observers: [watch], ...tuner } });
    return { weights: await weightsOf(model), codes, updates, history: { epoch, history } };
  } finally {
    model.dispose();
    model.optimizer.dispose();
  }
}

const rounded = ({ history }: Outcome) => roundedHistory(history);

/** The same, and nothing of it is left. */
const leakless = (...call: Parameters<typeof trained>): Promise<Outcome> =>
  expectNoLeak(tf, () => trained(...call));

/** Says for each update how it is made, and what is done with weights before it. */
function inTurn(
  planAt: (step: number) => { microBatchSize?: number; learningRateScale?: number },
  snapshots: ReadonlyMap<number, 'take' | 'keep' | 'restore'> = new Map(),
) {
  const decide = (step: number) => ({
    plan: { batchSize: BATCH, microBatchSize: BATCH, learningRateScale: 1, ...planAt(step) },
    reason: { code: 'in-turn', text: 'It was its turn.', numbers: {} },
    measure: ['loss'] as const,
    state: step,
    ...snapshotAt(step),
  });
  const snapshotAt = (step: number) => {
    const snapshot = snapshots.get(step);
    return snapshot && { snapshot };
  };
  return {
    ...always({ batchSize: BATCH }),
    ...(snapshots.size > 0 && { restores: true }),
    start: () => decide(0),
    next: (_step, at) => decide(Number(at) + 1),
  } satisfies BatchController<Json>;
}

const callbacks = { onBatchEnd: () => undefined } as never;

describe.each([
  ['', {}],
  [', with a callback that looks at batches', { callbacks }],
])('a step of fit that runs out of memory%s', (_what, args) => {
  it.each(['forward', 'gradient'] as const)(
    'in its %s pass is tried again in smaller parts',
    async (pass) => {
      const tuner = { policy: 'fixed' } as const;
      const disturbed = await leakless(outOfMemoryAt(5, pass), tuner, args);
      expect(disturbed.codes).toEqual(['outOfMemory', 'out-of-memory']);
      const parts = Array.from({ length: 12 }, (_, step) => (step < 5 ? 12 : 6));
      expect(disturbed.updates).toEqual(parts.map((size) => [size, 1]));
      const controller = inTurn((step) => ({ microBatchSize: parts[step] ?? BATCH }));
      const same = await trained(well, { controller }, args);
      expect(furthest(disturbed.weights, same.weights)).toBe(0);
      const smaller = await trained(well, { ...tuner, ceiling: { batchSize: 6 } }, args);
      expect(furthest(disturbed.weights, smaller.weights)).toBeLessThan(SUMMATION_ORDER);
      expect(rounded(disturbed)).toEqual(rounded(smaller));
    },
  );

  it('after its first part is tried again as a whole', async () => {
    const tuner = { policy: 'fixed', ceiling: { batchSize: 6 } } as const;
    const disturbed = await leakless(outOfMemoryAt(5, 'forward'), tuner, args);
    expect(disturbed.updates.map(([size]) => size)).toEqual([6, 6, ...Array<number>(10).fill(3)]);
    const undisturbed = await trained(well, tuner, args);
    expect(furthest(disturbed.weights, undisturbed.weights)).toBeLessThan(SUMMATION_ORDER);
    expect(rounded(disturbed)).toEqual(rounded(undisturbed));
  });
});

describe.each([
  ['', {}],
  [', with a callback that looks at batches', { callbacks }],
])('a step of fit whose loss is not finite%s', (_what, args) => {
  it('is tried again by a guard with the weights that were kept, at half the rate', async () => {
    const [whole, seven] = [Array<number>(22).fill(1), { ...args, epochs: 7 }];
    const controller = withGuard(always({ batchSize: BATCH }), { everySteps: 3 });
    // Once eleven losses are known, weights are copied before update 11, and kept before 22, after eleven more.
    const disturbed = await leakless(nanAt(22), { controller }, seven);
    expect(disturbed.codes).toEqual(['nonFinite', 'non-finite']);
    expect(disturbed.updates.map(([, rate]) => rate)).toEqual([...whole, ...Array<number>(6).fill(0.5)]);
    const snapshots = new Map([
      [11, 'take'],
      [21, 'keep'],
      [22, 'restore'],
    ] as const);
    const same = inTurn((step) => ({ learningRateScale: whole[step] ?? 0.5 }), snapshots);
    const undisturbed = await trained(well, { controller: same }, seven);
    expect(furthest(disturbed.weights, undisturbed.weights)).toBe(0);
    expect(disturbed.history).toEqual(undisturbed.history);
    const atFullRate = await trained(well, { controller: always({ batchSize: BATCH }) }, seven);
    expect(furthest(disturbed.weights, atFullRate.weights)).toBeGreaterThan(0.01);
  });

  it('goes back to the first weights where there are no later ones', async () => {
    const controller = withGuard(always({ batchSize: BATCH }));
    const disturbed = await leakless(nanAt(0), { controller }, args);
    expect(disturbed.codes).toEqual(['nonFinite', 'non-finite']);
    const undisturbed = await trained(well, { controller: inTurn(() => ({ learningRateScale: 0.5 })) }, args);
    expect(furthest(disturbed.weights, undisturbed.weights)).toBe(0);
  });

  it('does so below a ceiling that was given beside the controller', async () => {
    const tuner = { controller: withGuard(always({ batchSize: BATCH })), ceiling: { batchSize: 6 } };
    const disturbed = await leakless(nanAt(2), tuner, args);
    expect(disturbed.codes).toEqual(['nonFinite', 'non-finite']);
    expect(disturbed.updates.map(([size]) => size)).toEqual(Array<number>(12).fill(6));
  });

  it('ends the training where nobody keeps weights, or where it is that of the data', async () => {
    const unguarded = { controller: always({ batchSize: BATCH }) };
    await expect(leakless(nanAt(3), unguarded, args)).rejects.toMatchObject({
      code: 'nonFinite',
      message: expect.stringContaining('gave up') as string,
    });
    const controller = withGuard(always({ batchSize: BATCH }));
    const training = leakless(nanAt(3, 4), { controller }, args);
    await expect(training).rejects.toMatchObject({
      code: 'nonFinite',
      message: expect.stringContaining('Look for examples with NaN') as string,
    });
  });
});

it('a guard below a ceiling finds its weights in fitDataset too', async () => {
  const model = modelWith(nanAt(4));
  const codes: string[] = [];
  const tuned = batchwise(tf, {
    source: { xs, ys },
    controller: withGuard(always({ batchSize: BATCH })),
    ceiling: { batchSize: 6 },
    observers: [{ name: 'codes', onPlanChanged: ({ reason }) => void codes.push(reason.code) }],
  });
  await model.fitDataset(tuned.dataset, { epochs: 3, verbose: 0, callbacks: [tuned.callback] });
  expect(codes).toEqual(['non-finite']);
  expect((await weightsOf(model)).every(Number.isFinite)).toBe(true);
});
