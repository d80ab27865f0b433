import { randomUUID } from 'node:crypto';
import { mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersTf } from '@batchwise/backend/node';

type Model = ReturnType<LayersTf['sequential']>;
type Saveable = Pick<Model, 'save'>;

const MODEL = 'model.json';
const WEIGHTS = 'weights.bin';

/** The files that `saveModel` writes. */
export const savedFiles = (directory: string): readonly string[] =>
  [MODEL, WEIGHTS].map((name) => join(directory, name));

/**
 * Writes `model.json` and `weights.bin` in the layers format of TensorFlow.js, as its own file handler does, which only
 * tfjs-node has. The weights come first, so that a `model.json` that is there is whole.
 */
export async function saveModel(tf: LayersTf, model: Saveable, directory: string): Promise<void> {
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    await mkdir(directory, { recursive: true });
    const weights = tf.io.concatenateArrayBuffers([artifacts.weightData ?? new ArrayBuffer(0)].flat());
    await replaceFile(join(directory, WEIGHTS), Buffer.from(weights));
    const manifest = {
      modelTopology: artifacts.modelTopology,
      format: artifacts.format,
      generatedBy: artifacts.generatedBy,
      convertedBy: null,
      weightsManifest: [{ paths: [WEIGHTS], weights: artifacts.weightSpecs }],
    };
    await replaceFile(join(directory, MODEL), `${JSON.stringify(manifest)}\n`);
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await model.save(handler);
}

/** False where a run diverged: such a model is not worth the place of an earlier one. */
export async function hasFiniteWeights(model: Pick<Model, 'getWeights'>): Promise<boolean> {
  for (const weight of model.getWeights())
    for (const value of await weight.data()) if (!Number.isFinite(value)) return false;
  return true;
}

/** A reader sees the old file or the new one, never a part. A pipe or a device is written to as it is. */
export async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const isThere = await stat(target).catch(() => undefined);
  if (isThere && !isThere.isFile()) return writeFile(target, content);
  // Other processes may write the same target.
  const fresh = `${target}.${process.pid}-${randomUUID()}.new`;
  try {
    await writeFile(fresh, content);
    await rename(fresh, target);
  } catch (error) {
    // What failed first is what to tell.
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
}
