import { describe, expect, it } from 'vitest';
import { imageSource, type ArrayBatch } from '../src/image-source.ts';

/** Image k holds the bytes 4k to 4k + 3; its label is k mod 3. */
const examplesOf = (count: number) => ({
  images: Uint8Array.from({ length: 4 * count }, (_, byte) => byte),
  labels: Uint8Array.from({ length: count }, (_, image) => image % 3),
  count,
});
const FORM = { imageShape: [1, 2, 2], classes: 3 } as const;

/** Which images a batch holds, told by their first pixel. */
const imagesIn = ({ xs }: ArrayBatch) =>
  Array.from({ length: xs.shape[0] ?? 0 }, (_, row) => Math.round(255 * (xs.data[4 * row] ?? 0)) / 4);

describe('imageSource', () => {
  it('gives scaled pixels and one-hot labels in order', async () => {
    const source = imageSource(examplesOf(5), { ...FORM, shuffle: false });
    expect(source.size).toBe(5);
    const cursor = source.epoch(0, 3);
    const batch = await cursor.take(10);
    expect(batch?.xs.shape).toEqual([2, 1, 2, 2]);
    expect(batch?.xs.data).toEqual(Float32Array.of(12, 13, 14, 15, 16, 17, 18, 19).map((byte) => byte / 255));
    expect(batch?.ys.shape).toEqual([2, 3]);
    expect(batch?.ys.data).toEqual(Float32Array.of(1, 0, 0, 0, 1, 0));
    expect(await cursor.take(1)).toBeUndefined();
  });

  it('scales each byte to the 32-bit float nearest to byte / 255', async () => {
    const images = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const examples = { images, labels: Uint8Array.of(0), count: 1 };
    const source = imageSource(examples, { imageShape: [16, 16, 1], classes: 1, shuffle: false });
    const batch = await source.epoch(0).take(1);
    expect([...(batch?.xs.data ?? [])]).toEqual(Array.from(images, (byte) => Math.fround(byte / 255)));
  });

  it('flattens images for a dense layer', async () => {
    const source = imageSource(examplesOf(5), { ...FORM, shuffle: false, flat: true });
    const batch = await source.epoch(0).take(2);
    expect(batch?.xs.shape).toEqual([2, 4]);
    expect(batch?.xs.data.length).toBe(8);
  });

  it('shuffles by seed and epoch, labels with their images, however the epoch is cut', async () => {
    const source = imageSource(examplesOf(60), { ...FORM, shuffle: true, seed: 7 });
    const orderOf = async (epoch: number, sizes: readonly number[]) => {
      const cursor = source.epoch(epoch);
      const order: number[] = [];
      for (const size of sizes) {
        const batch = await cursor.take(size);
        if (batch === undefined) throw new Error('The epoch ended too soon.');
        const images = imagesIn(batch);
        images.forEach((image, row) => expect(batch.ys.data[3 * row + (image % 3)]).toBe(1));
        order.push(...images);
      }
      return order;
    };
    const whole = await orderOf(0, [60]);
    expect(whole).not.toEqual(Array.from({ length: 60 }, (_, image) => image));
    expect([...whole].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, image) => image));
    expect(await orderOf(0, [1, 20, 39])).toEqual(whole);
    expect(await orderOf(1, [60])).not.toEqual(whole);
  });

  it('uses the memory of a batch again for the next one of the same cursor, and of no other', async () => {
    const source = imageSource(examplesOf(9), { ...FORM, shuffle: false });
    const [cursor, other] = [source.epoch(0), source.epoch(0)];
    const [first, beside] = [await cursor.take(4), await other.take(4)];
    const [second, last] = [await cursor.take(4), await cursor.take(4)];
    expect(second?.xs.data.buffer).toBe(first?.xs.data.buffer);
    expect(beside && imagesIn(beside)).toEqual([0, 1, 2, 3]);
    // The rest of an epoch is shorter, and nothing of the batch before shows in it.
    expect(last?.xs.data).toHaveLength(4);
    expect(last?.ys.data).toEqual(Float32Array.of(0, 0, 1));
  });

  it('refuses arrays that do not fit', () => {
    const examples = examplesOf(5);
    const make = (over: object) => () => imageSource(examples, { ...FORM, shuffle: false, ...over });
    expect(make({ imageShape: [2, 2, 2] })).toThrow('5 images of [2, 2, 2] need 40 bytes and 5 labels');
    expect(make({ classes: 2 })).toThrow('Label number 2 is 2, but classes is 2');
    expect(make({ shuffle: true, seed: -1 })).toThrow(RangeError);
  });
});

describe('imageSource with a sampler', () => {
  const told: [number[], number[]][] = [];
  const sampler = {
    size: 4,
    population: 5,
    epoch: () => {
      const order = [4, 0, 4, 2];
      let weights: Float32Array | undefined;
      return {
        take(count: number) {
          const indices = Int32Array.from(order.splice(0, count));
          weights = Float32Array.from(indices, (index) => index / 2);
          return indices;
        },
        get weights() {
          return weights;
        },
      };
    },
    observe: (indices: ArrayLike<number>, losses: ArrayLike<number>) =>
      void told.push([Array.from(indices), Array.from(losses)]),
    state: () => told.length,
  };

  it('takes its order, hands out its weights, tells it losses and has its state', async () => {
    const source = imageSource(examplesOf(5), { ...FORM, shuffle: sampler });
    expect(source.size).toBe(4);
    const cursor = source.epoch(0);
    const batch = await cursor.take(3);
    expect(batch && imagesIn(batch)).toEqual([4, 0, 4]);
    expect(batch?.weights).toEqual([{ data: Float32Array.of(2, 0, 2), shape: [3] }]);
    cursor.observe?.([7, 8, 9]);
    expect(told).toEqual([
      [
        [4, 0, 4],
        [7, 8, 9],
      ],
    ]);
    expect(source.state?.()).toBe(1);
  });

  it('has neither weights nor state where the sampler has none', async () => {
    const source = imageSource(examplesOf(5), { ...FORM, shuffle: true });
    const cursor = source.epoch(0);
    expect('weights' in ((await cursor.take(2)) ?? {})).toBe(false);
    expect([source.state, cursor.observe]).toEqual([undefined, undefined]);
  });

  it('refuses one that draws from more images than there are', () => {
    expect(() => imageSource(examplesOf(3), { ...FORM, shuffle: sampler })).toThrow(
      'The sampler draws from 5 examples, but there are 3; make it for as many.',
    );
  });
});
