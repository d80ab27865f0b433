import { fileURLToPath } from 'node:url';
import { softwareVulkan } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../tools/child-process.mjs';
import { requireBuild, root } from '../support/repository.ts';

const STEPS = 5;
type Losses = Record<string, number[]>;

/** Each engine in a process of its own: TensorFlow for Node brings another copy of TensorFlow.js. */
async function lossesOn(engine: string, nativePaths: readonly string[] = []): Promise<Losses> {
  const script = fileURLToPath(new URL('on-engine.mjs', import.meta.url));
  const args = [script, engine, String(STEPS), ...nativePaths];
  const env = engine === 'webgpu' ? { ...softwareVulkan() } : {};
  const { exitCode, output } = await run({ program: process.execPath, args }, { cwd: root, env });
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (exitCode !== 0 || line === undefined) throw new Error(`${engine} ended with ${exitCode}:\n${output}`);
  return JSON.parse(line) as Losses;
}

describe('the first losses', () => {
  let expected: Losses;
  beforeAll(async () => {
    requireBuild();
    expected = await lossesOn('cpu');
    for (const losses of Object.values(expected)) {
      expect(losses).toHaveLength(STEPS);
      expect(new Set(losses).size).toBe(STEPS);
    }
  });

  const native = nativeLocation(cacheDirectory(), 'cpu')?.entry;
  const missing: Readonly<Record<string, string | false>> = {
    native: native === undefined && 'native TensorFlow is not set up (batchwise setup-native)',
    webgpu:
      softwareVulkan() === undefined && 'no Chromium with SwiftShader is installed (apt install chromium)',
    wasm: false,
  };
  it.for(Object.keys(missing))('on %s are those of plain JavaScript to 1e-4', async (engine, { skip }) => {
    const why = missing[engine];
    skip(Boolean(why), why || '');
    const actual = await lossesOn(engine, native === undefined ? [] : [native]);
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [network, losses] of Object.entries(expected))
      for (const [step, loss] of losses.entries())
        expect(Math.abs((actual[network]?.[step] ?? NaN) - loss), `${network}, step ${step}`).toBeLessThan(
          1e-4,
        );
  });
});
