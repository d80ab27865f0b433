import { describe, expect, it } from 'vitest';
import {
  hasExploded,
  isHealthy,
  NO_LOSSES,
  presentLoss,
  watchLoss,
  type LossWatch,
} from '../src/loss-watch.ts';
import { normal, uniform } from './plant.ts';

const after = (losses: readonly number[], from: LossWatch = NO_LOSSES) => losses.reduce(watchLoss, from);

describe('watchLoss', () => {
  it('takes the median of eleven, the first of these and the lowest', () => {
    const rising = Array.from({ length: 11 }, (_, i) => i);
    expect(after(rising.slice(1))).toEqual({ ...NO_LOSSES, latest: rising.slice(1) });
    expect(after(rising)).toEqual({ latest: rising, now: 5, start: 5, lowest: 5 });
    expect(presentLoss(after(rising))).toBe(5);
    expect(presentLoss(after(rising.slice(1)))).toBeUndefined();
    // 11 in place of 0: the median is 6, and the lowest comes a 500th of the way.
    expect(after([...rising, 11])).toMatchObject({ now: 6, start: 5, lowest: 5 + 1 / 500 });
    expect(after([...rising, ...Array(6).fill(1)])).toMatchObject({ start: 5, lowest: 1 });
  });

  it('takes what stays higher for usual in the end', () => {
    const fallen = after([...Array(60).fill(1), ...Array(60).fill(0.5)]);
    expect(fallen.lowest).toBe(0.5);
    expect(after(Array(100).fill(0.9), fallen).lowest).toBeLessThan(0.6);
    expect(after(Array(3000).fill(0.9), fallen).lowest).toBeGreaterThan(0.89);
  });
});

describe('an explosion', () => {
  const draw = normal(uniform(8));
  const noisy = (level: number, count: number, scatter = 0.3) =>
    Array.from({ length: count }, () => level * Math.exp(scatter * draw()));

  it('is seen after six steps, and when it comes slowly', () => {
    const before = after([...noisy(2.3, 30), ...noisy(0.5, 100)]);
    expect(hasExploded(before)).toBe(false);
    const jump = (count: number) => hasExploded(after(noisy(4, count), before));
    expect([jump(4), jump(6)]).toEqual([false, true]);
    expect(
      hasExploded(
        after(
          Array.from({ length: 80 }, (_, i) => 0.5 + i / 40),
          before,
        ),
      ),
    ).toBe(true);
  });

  it('is not an unlucky batch, a loss that merely rises somewhat, or one far below that of the start', () => {
    const before = after([...noisy(2.3, 30), ...noisy(0.5, 100)]);
    expect(hasExploded(after([50, 50, 50], before))).toBe(false);
    expect(hasExploded(after(noisy(0.7, 100), before))).toBe(false);
    const late = after(noisy(0.01, 100), before);
    expect(hasExploded(after(noisy(0.5, 30), late))).toBe(false);
    expect(hasExploded(after(noisy(2.3, 30), late))).toBe(true);
  });

  it('is not a loss with heavy tails: 0.01 on most batches and 0.5 on one in twenty, for 20,000 steps', () => {
    const random = uniform(9);
    const heavy = () => (random() < 0.05 ? 0.5 : 0.01) * Math.exp(0.3 * draw());
    let watch = after(noisy(0.7, 11));
    let [alarms, healthy] = [0, 0];
    for (let i = 0; i < 20_000; i += 1) {
      watch = watchLoss(watch, heavy());
      if (hasExploded(watch)) alarms += 1;
      if (isHealthy(watch)) healthy += 1;
    }
    expect(alarms).toBe(0);
    expect(healthy).toBeGreaterThan(19_000);
  });
});

describe('a loss that may be negative', () => {
  const steady = (level: number, count = 11) => Array<number>(count).fill(level);

  it('has exploded where it is above the start by what it had gained, and by what it was there', () => {
    // From −0.2 down to −0.9: up to −0.2 + 0.7.
    const before = after([...steady(-0.2), ...steady(-0.9, 30)]);
    expect([-0.5, 0.45, 0.55].map((level) => hasExploded(after(steady(level), before)))).toEqual([
      false,
      false,
      true,
    ]);
    // From −1, of which nothing was gained: up to 0. From 2 down to −1: up to 5.
    expect([-0.45, -0.1, 0.1].map((level) => hasExploded(after([...steady(-1), ...steady(level)])))).toEqual([
      false,
      false,
      true,
    ]);
    const sunk = after([...steady(2), ...steady(-1)]);
    expect([4.9, 5.1].map((level) => hasExploded(after(steady(level), sunk)))).toEqual([false, true]);
  });

  it('has not where it goes back and forth about 0', () => {
    const draw = normal(uniform(4));
    let watch = NO_LOSSES;
    let alarms = 0;
    for (let i = 0; i < 20_000; i += 1) {
      watch = watchLoss(watch, 0.05 * draw());
      if (hasExploded(watch)) alarms += 1;
    }
    expect(alarms).toBe(0);
    // Nothing is known of how large such a loss is.
    expect(hasExploded(after([...steady(0), ...steady(1e-3)]))).toBe(false);
  });

  it('is a moment to go back to within a quarter of that of the lowest', () => {
    // A quarter of 0.8 above −1.
    const before = after([...steady(-0.2), ...steady(-1, 30)]);
    expect([-0.85, -0.75].map((level) => isHealthy(after(steady(level), before)))).toEqual([true, false]);
  });
});

describe('a moment to go back to', () => {
  it('is one at which the loss is near its lowest, or far below that of the start', () => {
    expect(isHealthy(after(Array(10).fill(1)))).toBe(false);
    expect(isHealthy(after(Array(11).fill(1)))).toBe(true);
    expect(isHealthy(after([...Array(60).fill(1), ...Array(6).fill(1.2)]))).toBe(true);
    expect(isHealthy(after([...Array(60).fill(1), ...Array(6).fill(1.3)]))).toBe(false);
    const fallen = after([...Array(11).fill(4), ...Array(60).fill(0.1)]);
    expect(isHealthy(after(Array(6).fill(0.9), fallen))).toBe(true);
    expect(isHealthy(after(Array(6).fill(1.1), fallen))).toBe(false);
  });
});
