import type { IndexSampler } from './index-sampler.ts';
import { interleaved } from './interleaved.ts';
import { apportion } from './quota-order.ts';
import { MAX_SIZE, requireInteger } from './require-integer.ts';
import { derivedSeed } from './seeded-random.ts';
import { shuffled } from './shuffled.ts';
import { subset } from './subset.ts';
import { withReplacement } from './with-replacement.ts';

/** What decides the draws from the classes. */
export interface ByClassOptions {
  /** An integer from 0 to 2⁵³ − 1; the same seed gives the same orders on every machine. */
  readonly seed: number;
  /** Examples per epoch; as many as there are labels where it is not given. */
  readonly size?: number;
  /**
   * False (default): the examples of a class take turns in shuffled rounds, so none comes a second time before all of
   * its class have come once. True: each is drawn from its whole class.
   */
  readonly replacement?: boolean;
  /** How many classes there should be, labelled 0 … classes − 1; those that are there where it is not given. */
  readonly classes?: number;
}

/**
 * Every class in the proportion that it has in the data, in every batch: at each place of an epoch the examples so far
 * of a class are within one of its share, so a batch misses it by less than two. Takes the variance between the classes
 * out of the gradient. With the default size and without replacement each example comes once per epoch.
 *
 * @param labels one integer per example, 0 to 2³¹ − 1; read once
 * @throws RangeError when a label is not such an integer, a class has no examples, or a number is out of its range
 */
export const stratified = (labels: ArrayLike<number>, options: ByClassOptions): IndexSampler =>
  byClass(labels, options, (members) => members.length);

/**
 * Every class equally often, in every batch: at each place of an epoch the examples so far of a class are within one of
 * their share. Rare classes repeat their examples and frequent ones leave some for the next epoch; with
 * `size` = classes · (examples of the rarest) and without replacement nothing repeats. Use this or class weights in the
 * loss, not both.
 *
 * @param labels one integer per example, 0 to 2³¹ − 1; read once
 * @throws RangeError as `stratified`
 */
export const classBalanced = (labels: ArrayLike<number>, options: ByClassOptions): IndexSampler =>
  byClass(labels, options, () => 1);

function byClass(
  labels: ArrayLike<number>,
  { seed, size = labels.length, replacement = false, classes }: ByClassOptions,
  proportionOf: (members: readonly number[]) => number,
): IndexSampler {
  requireInteger('The number of labels', labels.length, { from: 1, to: MAX_SIZE });
  requireInteger('size', size, { from: 1, to: MAX_SIZE });
  const groups = membersByClass(labels, classes);
  const quotas = apportion(
    size,
    groups.map(([, members]) => proportionOf(members)),
  );
  const turns = groups.map(([label, members], k) => {
    const options = { seed: derivedSeed(seed, label) };
    const positions = replacement
      ? withReplacement(members.length, options)
      : shuffled(members.length, options);
    return { sampler: subset(members, positions), quota: quotas[k] ?? 0, offset: 0 };
  });
  return { population: labels.length, ...interleaved(turns, seed) };
}

/** The examples of each class, by rising label. */
function membersByClass(labels: ArrayLike<number>, classes?: number): [label: number, members: number[]][] {
  const members = new Map<number, number[]>();
  const last = classes === undefined ? MAX_SIZE : classes - 1;
  if (classes !== undefined) {
    requireInteger('classes', classes, { from: 1, to: MAX_SIZE });
    for (let label = 0; label < classes; label++) members.set(label, []);
  }
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] ?? NaN;
    requireInteger(`labels[${k}]`, label, { to: last });
    const known = members.get(label);
    if (known) known.push(k);
    else members.set(label, [k]);
  }
  for (const [label, { length }] of members) {
    if (length === 0)
      throw new RangeError(
        `Class ${label} of ${classes} has no examples; leave it out or number the classes anew.`,
      );
  }
  return [...members].sort(([one], [other]) => one - other);
}
