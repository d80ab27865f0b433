import type { BatchController, BatchSource, Decision, FailedStep, Observer } from '@batchwise/core';
import { withCeiling } from '@batchwise/tuner';
import type { ArrayBatch } from '../src/index.ts';
import type { LayersTf } from '../src/node/index.ts';
import { noise } from './models.ts';
