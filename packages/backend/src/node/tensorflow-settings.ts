/**
 * What the environment says to TensorFlow before it is imported; afterwards it does not look again. A variable that the
 * user has set is left alone.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Only errors; otherwise each start prints a screen of what the processor could do.
  TF_CPP_MIN_LOG_LEVEL: '2',
  // The fastest GPU alone: on several, TensorFlow.js uploads to the last one and computes on the first.
  CUDA_VISIBLE_DEVICES: '0',
};

/** What is fast on the processor; docs/performance.md has the figures, and those of what was not chosen. */
const processorSettings = (convolutions: boolean): Readonly<Record<string, string>> => ({
  // Operations of a graph one after the other in the thread that asks for it: in a dense model there is little to overlap,
  // and handing a small step to another thread and back costs a third of it. Each operation still uses all cores.
  ...(!convolutions && { TF_NUM_INTEROP_THREADS: '-1' }),
});

/** How TensorFlow will be used in this process. */
export interface TensorflowUse {
  /** Keeps TensorFlow on the processor. */
  readonly hideGpu: boolean;
  /** Whether there will be convolutions or recurrent layers. */
  readonly convolutions: boolean;
}

/** Writes the settings into this process's environment. */
export function applyTensorflowSettings({ hideGpu, convolutions }: TensorflowUse): void {
  if (hideGpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
  const settings = hideGpu ? { ...SETTINGS, ...processorSettings(convolutions) } : SETTINGS;
  for (const [name, value] of Object.entries(settings)) process.env[name] ??= value;
}
