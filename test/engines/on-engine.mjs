// @ts-check
// Prints the first losses on an engine as JSON: node on-engine.mjs ENGINE STEPS [FILE OF TENSORFLOW.JS FOR NODE]
import { loadEngine } from '@batchwise/backend/node';
import { ALL, firstLosses } from './first-losses.mjs';

const [name, steps, ...nativePaths] = process.argv.slice(2);
const engine = await loadEngine(/** @type {import('@batchwise/backend/node').EngineName} */ (name), {
  nativePaths,
});
console.log(JSON.stringify(await firstLosses(engine.tf, Number(steps), { networks: ALL })));
