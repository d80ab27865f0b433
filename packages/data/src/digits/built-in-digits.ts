import { seededRandom, type SeededRandom } from '@batchwise/sampler';
import type { ImageDataset, LabelledImages } from '../image-dataset.ts';
import { addGrain, addStrayStroke, erasePatch } from './blemishes.ts';
import { Canvas, SIDE } from './canvas.ts';
import { smoothCurve } from './curve.ts';
import { randomDeformation } from './deformation.ts';
import { between } from './random-draws.ts';
import { SKELETONS } from './skeletons.ts';

/** How many digits are drawn, and from which seed. */
export interface DigitsOptions {
  /** An integer from 0 to 2^53 - 1. Default 1. */
  readonly seed?: number;
  /** Training images. Default 60,000. */
  readonly trainCount?: number;
  /** Test images. Default 10,000. */
  readonly testCount?: number;
}

/** Each image has a random stream of its own, so that image 5 is the same however many are drawn. */
const FIRST_TEST_STREAM = 2 ** 32;

/**
 * Handwritten-looking digits in the form of MNIST ([28, 28, 1], ten classes), drawn from stroke skeletons: one of
 * several ways of writing, deformed, drawn with a random pen, then blemished. Image i shows the digit i mod 10, so
 * every long enough stretch is balanced. The same seed gives the same bytes on every machine.
 *
 * Made as hard as MNIST on purpose: a linear classifier stays at about 90 % of the test images, a small network with
 * two hidden layers passes 97 %.
 * @throws RangeError when a count is not an integer of 1 or more, or the seed is not one
 */
export function builtInDigits({
  seed = 1,
  trainCount = 60_000,
  testCount = 10_000,
}: DigitsOptions = {}): ImageDataset {
  return {
    name: 'digits',
    source: 'built-in',
    imageShape: [SIDE, SIDE, 1],
    classes: SKELETONS.length,
    train: drawAll(trainCount, (image) => seededRandom(seed, image)),
    test: drawAll(testCount, (image) => seededRandom(seed, FIRST_TEST_STREAM + image)),
  };
}

function drawAll(count: number, randomOf: (image: number) => SeededRandom): LabelledImages {
  if (!Number.isInteger(count) || count < 1 || count > FIRST_TEST_STREAM)
    throw new RangeError(`The number of digits to draw is ${count}; give an integer of 1 or more.`);
  const images = new Uint8Array(count * SIDE * SIDE);
  const labels = Uint8Array.from({ length: count }, (_, image) => image % SKELETONS.length);
  const canvas = new Canvas();
  labels.forEach((digit, image) => {
    drawDigit(canvas, digit, randomOf(image));
    canvas.writeTo(images.subarray(image * SIDE * SIDE, (image + 1) * SIDE * SIDE));
  });
  return { images, labels, count };
}

/** One sample; the numbers here and in the files beside this one decide how hard the data set is. */
function drawDigit(canvas: Canvas, digit: number, random: SeededRandom): void {
  canvas.clear();
  const ways = SKELETONS[digit] ?? [];
  const skeleton = ways[random.below(ways.length)] ?? [];
  const deform = randomDeformation(random);
  const radius = between(random, 0.7, 1.7);
  for (const { points, closed } of skeleton)
    canvas.draw(smoothCurve(points.map(deform), closed), { radius, intensity: between(random, 0.75, 1) });
  if (random.uniform() < 0.15) erasePatch(canvas, random);
  if (random.uniform() < 0.25) addStrayStroke(canvas, random);
  addGrain(canvas, random);
}
