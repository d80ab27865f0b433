import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { applyTensorflowSettings } from '../src/node/tensorflow-settings.ts';

const NAMES = ['TF_CPP_MIN_LOG_LEVEL', 'CUDA_VISIBLE_DEVICES', 'TF_NUM_INTEROP_THREADS'];
const environment = () => NAMES.map((name) => process.env[name]);

describe('the settings of TensorFlow', () => {
  beforeEach(() => {
    for (const name of NAMES) vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
  });

  it.each([
    [{ hideGpu: true, convolutions: true }, ['2', '-1', undefined]],
    [{ hideGpu: true, convolutions: false }, ['2', '-1', '-1']],
    [{ hideGpu: false, convolutions: true }, ['2', '0', undefined]],
    [{ hideGpu: false, convolutions: false }, ['2', '0', undefined]],
  ])('for %j', (use, expected) => {
    applyTensorflowSettings(use);
    expect(environment()).toEqual(expected);
  });

  it('give way to those of the user', () => {
    for (const name of NAMES) vi.stubEnv(name, '7');
    applyTensorflowSettings({ hideGpu: true, convolutions: false });
    expect(environment()).toEqual(['7', '-1', '7']);
  });
});
