import { expect, it } from 'vitest';
import { EXPECTED_LOSSES, LOSS_TOLERANCE } from '../../src/doctor/probe-net.ts';
import { largestDifference } from '../../src/doctor/report.ts';
import { referenceLosses } from './reference-net.ts';

it('states the losses that an implementation without TensorFlow.js comes to', () => {
  const losses = referenceLosses(EXPECTED_LOSSES.length);
  losses.forEach((loss, step) => expect(loss).toBeCloseTo(EXPECTED_LOSSES[step] ?? NaN, 6));
  expect(losses).toHaveLength(3);
});

it.each([0, 0.5, 0.98, 1.02, -1])('tells an engine whose gradients are %d times the right ones', (fault) => {
  const difference = largestDifference(referenceLosses(3, fault), EXPECTED_LOSSES);
  expect(difference).toBeGreaterThan(LOSS_TOLERANCE);
});
