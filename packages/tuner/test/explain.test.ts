import type { RunInfo } from '@batchwise/core';
import { expect, it } from 'vitest';
import { about, duration, goodputReason, recordedReason, weakGainReason } from '../src/explain.ts';
import { goodput } from '../src/goodput.ts';
import { knee } from '../src/knee.ts';
import { noiseScale } from '../src/noise-scale.ts';
import { run } from './step.ts';

it('says numbers with two digits', () => {
  expect([0.7612, 3.14, 31.4, 314, 8999, 12345].map(about)).toEqual([
    '0.76',
    '3.1',
    '31',
    '310',
    '9000',
    '12000',
  ]);
});

it('says seconds and milliseconds', () => {
  expect([0.00076, 0.0031, 0.999, 1, 1.24, 250].map(duration)).toEqual([
    '0.76 ms',
    '3.1 ms',
    '1000 ms',
    '1 s',
    '1.2 s',
    '250 s',
  ]);
});

const sizes = {
  small: { batchSize: 32, stepSeconds: 0.0024, predicted: false },
  large: { batchSize: 128, stepSeconds: 0.0031, predicted: false },
};
const noise = { noiseScale: 904, relativeError: 0.5, measured: true, unresolved: false };

it('tells a person why the batch grows', () => {
  const answer = {
    held: sizes.small,
    chosen: sizes.large,
    progressRatio: 1.94,
    pricedRatio: 1.9,
    ratioError: 0,
  };
  expect(goodputReason(answer, noise, { criticalBatchSize: 2712, lastMove: null })).toEqual({
    code: 'goodput',
    text:
      'A step of 128 takes 3.1 ms where one of 32 takes 2.4 ms, and at this noise the larger batch ' +
      'pays (noise scale about 900 examples): 128 makes 1.94 times the progress per second.',
    numbers: {
      batchSize: 128,
      heldBatchSize: 32,
      stepSeconds: 0.0031,
      heldStepSeconds: 0.0024,
      noiseScale: 904,
      criticalBatchSize: 2712,
      progressRatio: 1.94,
    },
  });
});

it('tells a person why the batch shrinks, and what is only assumed', () => {
  const answer = {
    held: sizes.large,
    chosen: sizes.small,
    progressRatio: 1.1,
    pricedRatio: 1.1,
    ratioError: 0,
  };
  expect(
    goodputReason(
      answer,
      { ...noise, measured: false, noiseScale: 600 },
      { criticalBatchSize: 300, lastMove: null },
    ).text,
  ).toBe(
    'A step of 32 takes 2.4 ms where one of 128 takes 3.1 ms, and at this noise the larger batch ' +
      'does not make up for that (a noise scale of 600 examples is assumed until it is measured): ' +
      '32 makes 1.10 times the progress per second.',
  );
});

const shrinks = {
  held: sizes.large,
  chosen: sizes.small,
  progressRatio: 1.1,
  pricedRatio: 1.1,
  ratioError: 0,
};

it('says of a size that never ran that its time is a prediction', () => {
  const answer = { ...shrinks, chosen: { ...sizes.small, predicted: true } };
  const { text } = goodputReason(answer, noise, { criticalBatchSize: 2712, lastMove: null });
  expect(text).toContain('A step of 32 should take 2.4 ms where one of 128 takes 3.1 ms');
  expect(text).toContain('32 should make 1.10 times the progress');
});

it('says what was thought before, where the batch turns back', () => {
  const lastMove = { from: 32, to: 128, noiseScale: 2900, seconds: 0.0026 };
  expect(goodputReason(shrinks, noise, { criticalBatchSize: 2712, lastMove }).text).toMatch(
    / When it went from 32 to 128, the noise scale was taken to be 2900 examples and a step of 128 to take 2\.6 ms\.$/,
  );
  // Not for a second move in one direction, nor where another size was moved to.
  for (const other of [
    { ...lastMove, from: 256 },
    { ...lastMove, to: 64 },
  ])
    expect(goodputReason(shrinks, noise, { criticalBatchSize: 2712, lastMove: other }).text).not.toContain(
      'When it went',
    );
});

it('says why it does not move, and where a run starts that knows of others', () => {
  expect(weakGainReason({ ...shrinks, progressRatio: 1.03 })).toEqual({
    code: 'weak-evidence',
    text: 'No change: weak evidence. 32 may make 1.03 times the progress per second of 128, too little to be sure of.',
    numbers: { batchSize: 128, targetBatchSize: 32, progressRatio: 1.03, pricedRatio: 1.1 },
  });
  expect(recordedReason(sizes.large, 904)).toEqual({
    code: 'recorded',
    text: 'In earlier runs a step of 128 took 3.1 ms, and the noise scale was about 900 examples: the run starts there.',
    numbers: { batchSize: 128, stepSeconds: 0.0031, noiseScale: 904 },
  });
  expect(recordedReason(sizes.large).text).toBe(
    'In earlier runs a step of 128 took 3.1 ms: the run starts there.',
  );
});

it.each([
  ['goodput', (info: RunInfo) => goodput().start(info)],
  ['knee', (info: RunInfo) => knee().start(info)],
  ['noiseScale', (info: RunInfo) => noiseScale().start(info)],
])('%s says where a run is too short for a larger batch', (_name, start) => {
  const text = 'The run starts with batches of 32, to see what a step takes.';
  const said = (plannedExamples: number) => start(run({ datasetSize: 8000, plannedExamples })).reason.text;
  expect(said(32_000)).toBe(text);
  expect(said(24_000)).toBe(
    `${text} None twice as large will be tried: in a run of 24000 examples it would leave fewer than 500 steps.`,
  );
});
