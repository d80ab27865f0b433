// Tasks that are no images: a regression whose noise is known, and SST-2 as a bag of hashed words.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gathered, seededRandom, sequential, shuffled } from '@batchwise/sampler';

/** A source of rows that lie one after the other in two arrays. */
export function rowSource({ xs, ys, width, outputs, count }, { shuffle, seed = 0 }) {
  const rows = (all, indices, size) => {
    const data = new Float32Array(indices.length * size);
    indices.forEach((index, row) => data.set(all.subarray(index * size, (index + 1) * size), row * size));
    return { data, shape: [indices.length, size] };
  };
  return gathered(shuffle ? shuffled(count, { seed }) : sequential(count), (indices) => ({
    xs: rows(xs, indices, width),
    ys: rows(ys, indices, outputs),
  }));
}

const slice = (rows, from, to) => ({
  ...rows,
  count: to - from,
  xs: rows.xs.subarray(from * rows.width, to * rows.width),
  ys: rows.ys.subarray(from * rows.outputs, to * rows.outputs),
});

const INPUTS = 64;
/**
 * y = w·x + ε with normal x whose scale falls from 1 to 0.1 over the inputs, and normal ε of standard deviation `noise`:
 * its square is the least mean squared error there is, and what w·x adds is about 10. At the start the gradient is that of |w|², in
 * the end noise is all there is, so that the noise scale grows through the run.
 */
export function regressionData({ count, seed, noise }) {
  const random = seededRandom(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const scale = Float64Array.from({ length: INPUTS }, (_, i) => 0.1 ** (i / (INPUTS - 1)));
  const weights = Float64Array.from({ length: INPUTS }, () => normal());
  const xs = new Float32Array(count * INPUTS);
  const ys = new Float32Array(count);
  for (let row = 0; row < count; row += 1) {
    let sum = noise * normal();
    for (let i = 0; i < INPUTS; i += 1) {
      const x = scale[i] * normal();
      xs[row * INPUTS + i] = x;
      sum += weights[i] * x;
    }
    ys[row] = sum;
  }
  const all = { xs, ys, width: INPUTS, outputs: 1, count };
  const held = Math.round(count / 10);
  return { train: slice(all, 0, count - held), validation: slice(all, count - held, count), inputs: INPUTS };
}

/** Words are told apart by a hash into so many places. */
const WORDS = 2048;

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** Sentences as bags of words and word pairs, from `train.tsv` and `dev.tsv` (text, tab, 0 or 1). */
export async function sst2Data(folder) {
  const read = async (file) => {
    const lines = (await readFile(join(folder, file), 'utf8')).trim().split('\n');
    const rows = lines.map((line) => line.split('\t')).filter(([, label]) => label === '0' || label === '1');
    const xs = new Float32Array(rows.length * WORDS);
    const ys = new Float32Array(rows.length * 2);
    rows.forEach(([text, label], row) => {
      const words = text.toLowerCase().split(/\s+/);
      const pairs = words.slice(1).map((word, i) => `${words[i]} ${word}`);
      for (const token of [...words, ...pairs]) xs[row * WORDS + (hash(token) % WORDS)] += 1;
      ys[row * 2 + Number(label)] = 1;
    });
    return { xs, ys, width: WORDS, outputs: 2, count: rows.length };
  };
  return { train: await read('train.tsv'), validation: await read('dev.tsv'), inputs: WORDS };
}
