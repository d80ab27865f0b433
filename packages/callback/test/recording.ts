import type { LayersTf } from '@batchwise/backend/node';

/** What a callback was told, with tensors read. */
export type Told = readonly [hook: string, index: number | undefined, logs: Readonly<Record<string, number>>];

const HOOKS = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onBatchBegin',
  'onBatchEnd',
] as const;

/** A `tf.Callback` that keeps all that it is told. */
export function recording(tf: LayersTf) {
  const told: Told[] = [];
  class Recording extends tf.Callback {}
  const callback = new Recording();
  for (const hook of HOOKS)
    callback[hook] = async (...[index, logs]: unknown[]) => {
      const read: Record<string, number> = {};
      for (const [name, value] of Object.entries(logs ?? {}))
        read[name] = typeof value === 'number' ? value : (await value.data())[0];
      told.push([hook, typeof index === 'number' ? index : undefined, read]);
    };
  return { callback, told };
}

/** Numbers to five digits, so that two engines of arithmetic may differ in the last ones. */
export const rounded = (told: readonly Told[]): unknown[] =>
  told.map(([hook, index, logs]) => [
    hook,
    index,
    Object.fromEntries(Object.entries(logs).map(([name, value]) => [name, Number(value.toPrecision(5))])),
  ]);

/** A `History` with numbers to five digits. */
export const roundedHistory = ({ epoch, history }: { epoch: number[]; history: object }) => ({
  epoch,
  history: Object.fromEntries(
    Object.entries(history).map(([name, values]) => [
      name,
      (values as number[]).map((value) => Number(value.toPrecision(5))),
    ]),
  ),
});
