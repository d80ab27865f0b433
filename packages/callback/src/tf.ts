import type { Tf as BackendTf } from '@batchwise/backend';
import type * as tfc from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * The part of TensorFlow.js that is used here, layers included. The user's own `tf` is handed in, from whichever package
 * it came (`@tensorflow/tfjs`, `-node`, `-node-gpu`, or `-core` and `-layers` in one object).
 */
export type Tf = BackendTf &
  Pick<typeof tfc, 'argMax' | 'stack'> &
  Pick<typeof tfl, 'Callback' | 'CustomCallback' | 'History'>;

export type LayersModel = tfl.LayersModel;
export type Callback = tfl.Callback;
export type History = tfl.History;
export type Logs = tfl.Logs;
export type Tensor = tfc.Tensor;
export type NamedTensorMap = tfc.NamedTensorMap;
/** What a callback gets before the numbers were read from the device. */
export type UnresolvedLogs = Readonly<Record<string, number | Tensor>>;
