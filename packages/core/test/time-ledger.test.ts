import { describe, expect, it } from 'vitest';
import { TimeLedger } from '../src/time-ledger.ts';

const step = (batchSize: number, seconds: number, plain = true, measuringSeconds = 0) => ({
  batchSize,
  seconds,
  plain,
  measuringSeconds,
});

describe('TimeLedger', () => {
  it('books the excess of measured steps over the median plain step of their size', () => {
    const ledger = new TimeLedger();
    for (const seconds of [2, 1, 30]) ledger.addStep(step(32, seconds));
    ledger.addStep(step(32, 5, false, 0.5));
    ledger.addStep(step(64, 4));
    const { trainingSeconds, tuningSeconds } = ledger.totals(100);
    expect(tuningSeconds).toBeCloseTo(3, 12);
    expect(trainingSeconds).toBeCloseTo(39, 12);
  });

  it('counts only what it knows where no plain step of the size was seen', () => {
    const ledger = new TimeLedger();
    ledger.addStep(step(32, 5, false, 0.5));
    ledger.addOverhead(0.25);
    expect(ledger.totals(6)).toEqual({
      seconds: 6,
      trainingSeconds: 4.5,
      tuningSeconds: 0.75,
      evaluationSeconds: 0,
    });
  });

  it('never books less than nothing, and keeps evaluation and short steps apart', () => {
    const ledger = new TimeLedger();
    ledger.addStep(step(32, 3));
    ledger.addStep(step(32, 2, false));
    ledger.addShortStep(1);
    ledger.addEvaluation(7);
    expect(ledger.totals(13)).toEqual({
      seconds: 13,
      trainingSeconds: 6,
      tuningSeconds: 0,
      evaluationSeconds: 7,
    });
  });

  it('forgets plain steps of long ago', () => {
    const ledger = new TimeLedger();
    for (let i = 0; i < 20; i += 1) ledger.addStep(step(32, 9));
    for (let i = 0; i < 15; i += 1) ledger.addStep(step(32, 1));
    ledger.addStep(step(32, 3, false));
    expect(ledger.totals(0).tuningSeconds).toBeCloseTo(2, 12);
  });
});
