import { describe, expect, it } from 'vitest';
import { amount, setupView } from '../src/setup-native-view.ts';

describe('the progress of a setup', () => {
  it('is told in bytes or parts, with the end where it is known', () => {
    expect(amount({ step: '', done: 66_400_000, total: 274e6, unit: 'bytes' })).toBe('66.4 MB of 274 MB');
    expect(amount({ step: '', done: 4_100_000, unit: 'bytes' })).toBe('4.1 MB');
    expect(amount({ step: '', done: 2, total: 5, unit: 'parts' })).toBe('2 of 5');
    expect(amount({ step: '', done: 0, unit: 'parts' })).toBe('');
  });

  it('is one line per step where there is no terminal, with the notices between', () => {
    const lines: string[] = [];
    const view = setupView({ live: false, print: (line) => lines.push(line) });
    for (const done of [0, 5, 10]) view.show({ step: 'Downloading', done, total: 10, unit: 'bytes' });
    view.notice('The first way does not work.');
    view.show({ step: 'Building', done: 0, unit: 'parts' });
    view.stop();
    expect(lines).toEqual(['Downloading', 'The first way does not work.', 'Building']);
  });
});
