// SST-2 from BATCHWISE_DATA_DIR: sentences of words, and whether each is positive.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Words below this count share a number. */
const LEAST_COUNT = 2;
const UNKNOWN = 1;

/** A split as it is in its file: `text<TAB>label` per line. */
function readSplit(directory, split) {
  const lines = readFileSync(join(directory, 'sst2', `${split}.tsv`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [text, label] = line.split('\t');
    return { words: text.split(' '), label: Number(label) };
  });
}

/** Numbers for the words of the training split; 0 is for padding, 1 for rare words and those of other splits. */
function vocabularyOf(sentences) {
  const counts = new Map();
  for (const { words } of sentences) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const frequent = [...counts].filter(([, count]) => count >= LEAST_COUNT).map(([word]) => word);
  return new Map(frequent.map((word, k) => [word, k + UNKNOWN + 1]));
}

/** The training and the validation split, as numbers of words. */
export function readSst2(directory) {
  const [train, dev] = ['train', 'dev'].map((split) => readSplit(directory, split));
  const vocabulary = vocabularyOf(train);
  const encode = (sentences) => ({
    sequences: sentences.map(({ words }) => words.map((word) => vocabulary.get(word) ?? UNKNOWN)),
    labels: sentences.map(({ label }) => label),
    lengths: sentences.map(({ words }) => words.length),
  });
  return { train: encode(train), dev: encode(dev), vocabularySize: vocabulary.size + UNKNOWN + 1 };
}
