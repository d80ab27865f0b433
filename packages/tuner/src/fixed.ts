import type { BatchController, Decision } from '@batchwise/core';
import { checkCount } from './check.ts';
import { PLAIN, wholeBatch } from './plan.ts';
import { giveUp } from './recovery.ts';

/**
 * The null policy: one batch size for the whole run, chosen by you.
 * @param batchSize examples per update
 * @throws RangeError unless it is a whole number of at least 1
 */
export function fixed(batchSize: number): BatchController<null> {
  checkCount(batchSize, 'batchSize');
  const decision = (code: string): Decision<null> => ({
    plan: wholeBatch(batchSize),
    reason: { code, text: `The batch size is fixed at ${batchSize}.`, numbers: { batchSize } },
    measure: PLAIN,
    state: null,
  });
  const start = decision('start');
  const steady = decision('steady');
  return { name: 'fixed', measures: PLAIN, start: () => start, next: () => steady, recover: giveUp };
}
