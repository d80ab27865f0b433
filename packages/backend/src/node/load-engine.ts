import { TrainingError } from '@batchwise/core';
import { loadCpu, loadWasm } from './core-engines.ts';
import type { WebgpuOptions } from './dawn.ts';
import {
  EngineUnavailable,
  type Engine,
  type EngineName,
  type LoadedEngine,
  type PassedOver,
} from './engine.ts';
import { loadCuda, loadNative } from './tensorflow.ts';
import { loadWebgpu } from './webgpu-engine.ts';

/** Options of {@link loadEngine}. */
export interface EngineOptions {
  /** Absolute paths of files to import TensorFlow.js for Node from, tried before the installed packages. */
  readonly nativePaths?: readonly string[];
  /**
   * Whether the models will have convolutions or recurrent layers: false makes small dense models faster on native
   * TensorFlow, by running one operation at a time. It holds for the process, from the first time that TensorFlow is
   * loaded. Default true.
   */
  readonly convolutions?: boolean;
  /** How WebGPU is opened. */
  readonly webgpu?: WebgpuOptions;
  /** What loads each engine; tests hand in others. */
  readonly loaders?: readonly (readonly [EngineName, Loader])[];
}

type Loader = (options: EngineOptions) => Promise<LoadedEngine>;

/** In the order of how fast they train. */
const LOADERS: NonNullable<EngineOptions['loaders']> = [
  ['cuda', ({ nativePaths = [] }) => loadCuda(nativePaths)],
  ['native', ({ nativePaths = [], convolutions = true }) => loadNative(nativePaths, { convolutions })],
  ['webgpu', ({ webgpu }) => loadWebgpu(webgpu)],
  ['wasm', loadWasm],
  ['cpu', loadCpu],
];

/** What `loadEngine` takes; `auto` is the first of the others that is to be had. */
export const ENGINE_NAMES = ['auto', 'cuda', 'native', 'webgpu', 'wasm', 'cpu'] as const;

/**
 * Loads TensorFlow.js and sets it to an engine. One process has one TensorFlow.js: after cuda or native, which bring
 * their own, the others are refused, and the other way round.
 * @param name an engine, or `auto` for the first to be had of cuda (TensorFlow on a GPU, through tfjs-node-gpu), native
 *   (TensorFlow on the processor), webgpu (a real GPU), wasm and cpu
 * @throws TrainingError `invalidOptions` with the reason and what to do when the engine that was asked for is not to be
 *   had; no other one is taken instead
 */
export async function loadEngine(
  name: (typeof ENGINE_NAMES)[number],
  options: EngineOptions = {},
): Promise<Engine> {
  const passedOver: PassedOver[] = [];
  const auto = name === 'auto';
  // Software is slower than wasm: it is taken only by those who ask for it.
  const wanted = auto ? { ...options, webgpu: { ...options.webgpu, software: false } } : options;
  for (const [candidate, load] of options.loaders ?? LOADERS) {
    if (!auto && name !== candidate) continue;
    try {
      const engine = await load(wanted);
      return { ...engine, reason: auto ? reasonOf(passedOver) : 'as asked', passedOver };
    } catch (error) {
      passedOver.push({ name: candidate, ...explained(error) });
    }
  }
  const details = passedOver.map(({ detail }) => detail).join('; ');
  throw new TrainingError('invalidOptions', `Engine "${name}" is not to be had: ${details}.`, {
    hint: passedOver.at(-1)?.hint ?? 'Take "auto".',
  });
}

function explained(error: unknown): Omit<PassedOver, 'name'> {
  if (error instanceof EngineUnavailable) return { why: error.why, detail: error.message, hint: error.hint };
  const detail = (error instanceof Error ? error.message : String(error)).trim();
  return { why: 'does not load', detail, hint: 'Install its package, or take "auto".' };
}

/** Engines with the same trouble in one breath: `the fastest here (cuda, native: not installed; webgpu: no GPU)`. */
function reasonOf(passedOver: readonly PassedOver[]): string {
  const byTrouble = new Map<string, EngineName[]>();
  for (const { name, why } of passedOver) byTrouble.set(why, [...(byTrouble.get(why) ?? []), name]);
  const list = [...byTrouble].map(([why, names]) => `${names.join(', ')}: ${why}`).join('; ');
  return list === '' ? 'the fastest there is' : `the fastest here (${list})`;
}
