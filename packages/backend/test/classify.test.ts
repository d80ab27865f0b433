import { describe, expect, it } from 'vitest';
import { classifyError } from '../src/index.ts';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

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
    [
      'wasm',
      named('WasmBudgetError', 'Tensors would take 3.43 GB of at most 3.20 GB on wasm.'),
      'outOfMemory',
    ],
    ['webgpu', named('GPUOutOfMemoryError', 'Out of memory.'), 'outOfMemory'],
    [
      'webgpu',
      named('GPUValidationError', 'Buffer size (281216000) exceeds the max buffer size limit (268435456).'),
      'outOfMemory',
    ],
    [
      'webgpu',
      named(
        'GPUValidationError',
        'Binding size (151424000) of [Buffer] is larger than the maximum storage buffer binding size (134217728).',
      ),
      'outOfMemory',
    ],
    // As Firefox says it.
    [
      'webgpu',
      named(
        'GPUValidationError',
        'Buffer size 463891392 is greater than the maximum buffer size (268435456)',
      ),
      'outOfMemory',
    ],
    [
      'webgpu',
      named(
        'GPUValidationError',
        'Buffer binding 0 range 268435456 exceeds `max_*_buffer_binding_size` limit 134217728',
      ),
      'outOfMemory',
    ],
    ['webgpu', new Error('Dispatch size exceeds WebGPU limits in Y or Z dimension.'), 'outOfMemory'],
    ['webgpu', new RangeError('createBuffer failed to allocate a buffer mapped at creation.'), 'outOfMemory'],
    ['webgpu', named('GPUValidationError', '[Invalid Buffer] is invalid due to a previous error.'), 'other'],
    ['webgpu', named('GPUInternalError', 'the compiler gave up'), 'other'],
    ['webgpu', named('DeviceLostError', 'The GPU device was lost (unknown).'), 'deviceLost'],
    ['webgpu', named('AbortError', 'The device was lost before the buffer was mapped.'), 'deviceLost'],
    ['webgpu', new Error('Out of memory is what it says'), 'other'],
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
