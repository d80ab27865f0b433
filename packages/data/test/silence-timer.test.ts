import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SilenceTimer } from '../src/silence-timer.ts';

describe('SilenceTimer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('aborts after its seconds, counted from the last call', () => {
    const silence = new SilenceTimer(undefined);
    silence.allow(5, 'no answer');
    vi.advanceTimersByTime(4999);
    silence.allow(2, 'no more data');
    vi.advanceTimersByTime(1999);
    expect(silence.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(silence.signal.reason).toMatchObject({ message: 'no more data within 2 s' });
  });

  it.each([2 ** 31 / 1000, 1e10, Infinity])('does not abort at once where it may take %d s', (seconds) => {
    const silence = new SilenceTimer(undefined);
    silence.allow(seconds, 'no answer');
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(silence.signal.aborted).toBe(false);
  });
});
