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

/** Writes the settings into this process's environment; `hideGpu` keeps TensorFlow on the processor. */
export function applyTensorflowSettings({ hideGpu }: { readonly hideGpu: boolean }): void {
  if (hideGpu) process.env['CUDA_VISIBLE_DEVICES'] = '-1';
  for (const [name, value] of Object.entries(SETTINGS)) process.env[name] ??= value;
}
