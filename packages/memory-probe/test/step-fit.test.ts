import { describe, expect, it } from 'vitest';
import { predictPeakBytes, type MemoryFit } from '../src/memory-fit.ts';
import { fitGradients, fitSteps, type MeasuredStep } from '../src/step-fit.ts';
import { MB } from './simulated-device.ts';

const NOISE = 0.01;

/** Gradients take 10 MB and 0.1 MB for each example, an update 40 MB: it is the most up to 300 examples. */
const gradients = (batchSize: number): number => 10 * MB + 0.1 * MB * batchSize;
const step = (batchSize: number, gradientPeakBytes = gradients(batchSize)): MeasuredStep => ({
  batchSize,
  peakBytes: Math.max(40 * MB, gradientPeakBytes),
  gradientPeakBytes,
});

describe('fitSteps', () => {
  it('needs two readings where gradients are told apart, even if an update hid both', () => {
    const fit = fitSteps([step(16), step(200)], NOISE);
    if (!fit) throw new Error('no fit');
    expect(fit).toMatchObject({ floorBytes: 40 * MB, linePoints: 2 });
    expect(predictPeakBytes(fit, 250)).toBe(40 * MB);
    expect(predictPeakBytes(fit, 3000)).toBeCloseTo(310 * MB, -1);
  });

  it('sees no floor where gradients take the most', () => {
    const fit = fitSteps([step(400), step(900)], NOISE);
    expect(fit).toMatchObject({ floorBytes: 0 });
    expect(fit?.interceptBytes).toBeCloseTo(10 * MB, -1);
  });

  it('does not take scatter for a floor', () => {
    const steps = [100, 400, 800].map((size) => ({ ...step(size), peakBytes: 1.005 * gradients(size) }));
    expect(fitSteps(steps, NOISE)).toMatchObject({ floorBytes: 0, linePoints: 3 });
    const exact = [400, 800].map((size) => ({ ...step(size), peakBytes: gradients(size) }));
    const scattered = [{ ...step(100), peakBytes: 1.005 * gradients(100) }, ...exact];
    expect(fitSteps(scattered, NOISE)).toMatchObject({ floorBytes: 0, linePoints: 3 });
  });

  it('leaves out small steps whose blocks were not counted', () => {
    const steps = [step(16, 2 * MB), step(32, 5 * MB), step(400), step(600), step(800)];
    const fit = fitSteps(steps, NOISE);
    expect(fit).toMatchObject({ linePoints: 3 });
    expect(fit?.bytesPerExample).toBeCloseTo(0.1 * MB, 0);
  });

  it('falls back to whole steps where the gradients do not explain them', () => {
    const growing = [400, 800, 1600].map((size) => ({ ...step(size), peakBytes: 2 * gradients(size) }));
    expect(fitSteps(growing.slice(0, 2), NOISE)).toBeUndefined();
    const fit = fitSteps(growing, NOISE);
    expect(fit?.bytesPerExample).toBeCloseTo(0.2 * MB, 0);
  });

  it('fits whole steps where gradients are not told apart', () => {
    const blind = [16, 64, 256].map((batchSize) => ({
      batchSize,
      peakBytes: gradients(batchSize),
      gradientPeakBytes: null,
    }));
    expect(fitSteps(blind.slice(0, 2), NOISE)).toBeUndefined();
    expect(fitSteps(blind, NOISE)?.bytesPerExample).toBeCloseTo(0.1 * MB, 0);
  });
});

describe('a rise that readings may have by themselves', () => {
  it('is no line: readings off by 3 % must rise by 2.5 times', () => {
    const small = [step(16, 127.7 * MB), step(48, 129.3 * MB), step(181, 151.4 * MB), step(462, 253.7 * MB)];
    expect(fitSteps(small, 0.03)).toBeUndefined();
    // Straight, but from 110 to 220 MB and to 300 MB.
    const rising = [1000, 1500, 2100].map((size) => step(size));
    expect(fitSteps(rising, 0.03)).toBeUndefined();
    expect(fitSteps([...rising, step(2900)], 0.03)).toMatchObject({ linePoints: 4 });
    expect(fitSteps([...small, step(1408, 603.2 * MB)], 0.03)).toMatchObject({ floorBytes: 129.3 * MB });
    expect(
      fitSteps(
        [400, 450, 500].map((size) => step(size)),
        0.002,
      ),
    ).toMatchObject({ linePoints: 3 });
  });
});

describe('fitGradients', () => {
  it('gives up a line through all for one above a floor that explains them better', () => {
    // An LSTM in a control group: 130 MB are the process, and what it freed before is used first.
    const resident = [
      step(16, 127 * MB),
      step(48, 128.7 * MB),
      step(768, 368.5 * MB),
      step(1891, 779.5 * MB),
    ];
    const fit = fitGradients(resident, 0.03);
    // (779.5 − 368.5) / (1891 − 768) MB
    expect(fit).toMatchObject({ linePoints: 2, floorBytes: 128.7 * MB });
    expect(fit?.bytesPerExample).toBeCloseTo(0.365984 * MB, -2);
    // (339.6 − 182.6) / (699 − 271) MB, which says 711.6 MB of 1713 examples; they took 713.2.
    const begun = [step(16, 127.6 * MB), step(67, 131.1 * MB), step(271, 182.6 * MB), step(699, 339.6 * MB)];
    expect(predictPeakBytes(fitGradients(begun, 0.03) as MemoryFit, 1713)).toBeCloseTo(711.56 * MB, -5);
    // It has not risen enough to be told from noise, and a line through all is too bent.
    expect(fitSteps(begun, 0.03)).toBeUndefined();
    const near = [...begun.slice(0, 3), step(500, 266.6 * MB)];
    expect(fitGradients(near, 0.03)).toMatchObject({ linePoints: 4 });
    // Off by 1.8 % at most is what readings off by 3 % may be.
    const chunks = [step(16, 16.9 * MB), step(182, 197.8 * MB), step(353, 372.3 * MB), step(373, 396.9 * MB)];
    expect(fitGradients(chunks, 0.03)).toMatchObject({ linePoints: 4, floorBytes: 0 });
  });

  it('has no line for one reading, nor for readings that fall', () => {
    expect(fitGradients([step(16)], NOISE)).toBeUndefined();
    expect(fitGradients([step(16, 9 * MB), step(32, 8 * MB)], NOISE)).toBeUndefined();
  });

  it('has none from a step that took no more than smaller ones: what they took hides the growth', () => {
    // An allocator of GPUs with a CNN: from 43 to 122 a line would rise by 0.82 MB for each example; it is 1.05.
    const hidden = [step(16, 73.7 * MB), step(43, 70.5 * MB), step(122, 135.2 * MB)];
    expect(fitGradients(hidden, NOISE)).toBeUndefined();
    const shown = [step(16, 66 * MB), step(43, 70.5 * MB), step(122, 135.2 * MB)];
    expect(fitGradients(shown, NOISE)).toMatchObject({ linePoints: 2 });
  });

  it('has none for two readings of which most is no growth: the line may not have begun', () => {
    for (const smaller of [6.9, 4.7])
      expect(fitSteps([step(16, smaller * MB), step(256, 9.2 * MB)], NOISE)).toBeUndefined();
    expect(fitSteps([step(16, 4.5 * MB), step(256, 9.2 * MB)], NOISE)).toMatchObject({ linePoints: 2 });
  });
});
