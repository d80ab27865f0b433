import { describe, expect, it } from 'vitest';
import { classifyError } from '../src/index.ts';

describe('classifyError', () => {
  const cases: [string, Error, string][] = [
    [
      'tensorflow',
      new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[4096,4096]'),
      'outOfMemory',
    ],
    ['tensorflow', new Error('Invalid TF_Status: 3\nMessage: Matrix size-incompatible'), 'other'],
    ['tensorflow', new Error('Invalid TF_Status: 80'), 'other'],
    ['cpu', new RangeError('Array buffer allocation failed'), 'outOfMemory'],
    ['cpu', new RangeError('Invalid typed array length: 99999999999'), 'outOfMemory'],
    ['cpu', new RangeError('Maximum call stack size exceeded'), 'other'],
    ['wasm', new RangeError('Array buffer allocation failed'), 'outOfMemory'],
    ['wasm', new Error('memory access out of bounds'), 'other'],
    ['webgl', new Error('OOM when allocating'), 'other'],
  ];
  it.each(cases)('on %s: %s', (engine, error, verdict) => {
    expect(classifyError(engine, error)).toBe(verdict);
  });

  it('recognises what V8 really throws', () => {
    let caught: unknown;
    try {
      new Float32Array(2 ** 40);
    } catch (error) {
      caught = error;
    }
    expect(classifyError('cpu', caught)).toBe('outOfMemory');
  });
});
