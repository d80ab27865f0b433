import type { Observer } from '@batchwise/core';
import { cacheDirectory } from '@batchwise/data';
import { ceilingOf, tuningRecorder, type PolicyName, type TuningRecord } from '@batchwise/tuner';
import type { RunSetting } from './run-record.ts';
import { tuningKey, TuningStore } from './tuning-store.ts';

/** What a run takes over from earlier ones, and what it leaves for later ones. */
export interface Learned {
  /** Of earlier runs of the same model, data set, optimizer and engine. */
  readonly record: TuningRecord | undefined;
  /** Why there is none where there should be one. */
  readonly notice: string | undefined;
  readonly observers: readonly Observer[];
  /** Adds this run; answers why it could not. */
  keep(): Promise<string | undefined>;
}

const NOTHING: Learned = {
  record: undefined,
  notice: undefined,
  observers: [],
  keep: () => Promise.resolve(undefined),
};

/** Opens the records in the cache; with `--no-record` there are none, and none is written. */
export async function openLearned(setting: RunSetting, enabled: boolean): Promise<Learned> {
  if (!enabled) return NOTHING;
  const store = new TuningStore(cacheDirectory());
  const key = tuningKey(setting);
  const recorder = tuningRecorder();
  return {
    ...(await store.read(key)),
    observers: [recorder.observer],
    async keep() {
      const latest = recorder.record();
      return latest && store.add(key, latest);
    },
  };
}

/**
 * Whether a policy starts from what a record holds: from one size alone there is no telling others, and some plan ahead. What did not
 * fit in memory bounds all of them.
 */
export function isUsedBy(policy: PolicyName, record: TuningRecord): boolean {
  const { stepTimes, noiseScale } = record;
  const [hasTimes, hasNoise] = [stepTimes.length > 1, noiseScale !== null];
  const uses = {
    goodput: hasTimes || hasNoise,
    knee: hasTimes,
    noiseScale: hasNoise,
    schedule: false,
    fixed: false,
  } satisfies Record<PolicyName, boolean>;
  return uses[policy] || ceilingOf(record) !== undefined;
}
