import { seededRandom } from '@batchwise/sampler';
import { expect, it } from 'vitest';
import { Recency } from '../src/recency.ts';

it('always knows the index that was touched longest ago', () => {
  const random = seededRandom(2);
  const recency = new Recency(20);
  let list: number[] = [];
  expect(recency.oldest).toBe(-1);
  for (let turn = 0; turn < 5000; turn++) {
    const index = random.below(20);
    list = list.filter((other) => other !== index);
    if (random.below(3) === 0) recency.remove(index);
    else {
      recency.touch(index);
      list.push(index);
    }
    expect(recency.oldest).toBe(list[0] ?? -1);
  }
});
