import { TrainingError } from '@batchwise/core';
import type { Engine, EngineName, LoadedEngine } from './engine.ts';
import { loadCpu, loadNative, loadWasm } from './engines.ts';

type Loader = (nativePaths: readonly string[]) => Promise<LoadedEngine>;

/** In the order of how fast they train. */
const LOADERS: readonly (readonly [EngineName, Loader])[] = [
  ['native', loadNative],
  ['wasm', loadWasm],
  ['cpu', loadCpu],
];

/** What `loadEngine` takes; `auto` is the first of the others that loads. */
export const ENGINE_NAMES = ['auto', 'native', 'wasm', 'cpu'] as const;

/** Options of {@link loadEngine}. */
export interface EngineOptions {
  /** Absolute paths of files to import TensorFlow.js for Node from, tried before the installed packages. */
  readonly nativePaths?: readonly string[];
  /** What loads each engine; tests hand in others. */
  readonly loaders?: typeof LOADERS;
}

/**
 * Loads TensorFlow.js and sets it to an engine.
 * @param name an engine, or `auto` for the first that loads of native (TensorFlow through tfjs-node-gpu or
 *   tfjs-node), wasm and cpu
 * @throws TrainingError `invalidOptions` with the reason when the engine that was asked for does not load
 */
export async function loadEngine(
  name: (typeof ENGINE_NAMES)[number],
  { nativePaths = [], loaders = LOADERS }: EngineOptions = {},
): Promise<Engine> {
  const failures: string[] = [];
  for (const [candidate, load] of loaders) {
    if (name !== 'auto' && name !== candidate) continue;
    try {
      const engine = await load(nativePaths);
      const asked = name === 'auto' ? 'the fastest that loads' : 'as asked';
      return { ...engine, reason: [asked, ...failures].join('; ') };
    } catch (error) {
      failures.push(`${candidate} does not load: ${firstLine(error)}`);
    }
  }
  throw new TrainingError('invalidOptions', `Engine "${name}" is not to be had (${failures.join('; ')}).`, {
    hint:
      name === 'native'
        ? 'Run "batchwise setup-native" or install @tensorflow/tfjs-node, or take "wasm".'
        : 'Install its package, or take "auto".',
  });
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';
