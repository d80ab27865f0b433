import type * as tfc from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * The part of TensorFlow.js that is used here. The user's own `tf` is handed in, from whichever package it came
 * (`@tensorflow/tfjs`, `-node`, `-node-gpu`, `-core`): two copies would not share models.
 */
export type Tf = Pick<
  typeof tfc,
  | 'add'
  | 'addN'
  | 'backend'
  | 'concat'
  | 'dispose'
  | 'div'
  | 'engine'
  | 'findBackendFactory'
  | 'gather'
  | 'getBackend'
  | 'keep'
  | 'matMul'
  | 'mean'
  | 'mul'
  | 'registerBackend'
  | 'removeBackend'
  | 'reshape'
  | 'scalar'
  | 'setBackend'
  | 'square'
  | 'stack'
  | 'sum'
  | 'tensor'
  | 'tidy'
  | 'variableGrads'
  | 'zeros'
>;

/** The model class of TensorFlow.js; `Sequential` is one too. */
export type LayersModel = tfl.LayersModel;
export type Tensor = tfc.Tensor;
export type Scalar = tfc.Scalar;
export type Variable = tfc.Variable;
