import { describe, expect, it } from 'vitest';
import { splitValidation, type ImageDataset } from '../src/image-dataset.ts';

const dataset: ImageDataset = {
  name: 'digits',
  source: 'built-in',
  imageShape: [1, 2, 1],
  classes: 10,
  train: { images: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), labels: Uint8Array.of(1, 3, 5, 7), count: 4 },
  test: { images: Uint8Array.of(9, 9), labels: Uint8Array.of(9), count: 1 },
};

describe('splitValidation', () => {
  it('sets the last training images apart', () => {
    const { train, validation, test, imageShape } = splitValidation(dataset, 1);
    expect(train).toEqual({
      images: Uint8Array.of(1, 2, 3, 4, 5, 6),
      labels: Uint8Array.of(1, 3, 5),
      count: 3,
    });
    expect(validation).toEqual({ images: Uint8Array.of(7, 8), labels: Uint8Array.of(7), count: 1 });
    expect(test).toBe(dataset.test);
    expect(imageShape).toEqual([1, 2, 1]);
  });

  it('copies nothing', () => {
    expect(splitValidation(dataset, 2).validation.images.buffer).toBe(dataset.train.images.buffer);
  });

  it('takes 6,000 by default, and refuses what leaves nothing', () => {
    expect(() => splitValidation(dataset)).toThrow('validationExamples is 6000; give an integer from 1 to 3');
    for (const wrong of [0, 4, 1.5, -1]) expect(() => splitValidation(dataset, wrong)).toThrow(RangeError);
  });
});
