import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, root } from '../support/repository.ts';

/*
 * The tables of docs/callback.md against the types of TensorFlow.js and the tests that they name.
 */
const layers = join(root, 'node_modules/@tensorflow/tfjs-layers/dist/engine');
const document = readText('docs/callback.md');

/** The options that an interface of TensorFlow.js declares. */
function optionsOf(file: string, name: string): string[] {
  const text = readFileSync(join(layers, file), 'utf8');
  const body = text.slice(text.indexOf(`interface ${name}`)).split('\n}')[0] ?? '';
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, option = '']) => option);
}

/** The rows of the table whose first heading is the interface. */
function rowsOf(name: string): readonly { readonly option: string; readonly test: string }[] {
  const lines = document.slice(document.indexOf(`| \`${name}\``)).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(2, end).map((line) => {
    const [, option = '', , test = ''] = line.split('|').map((cell) => cell.trim());
    return { option: option.replaceAll('`', ''), test };
  });
}

describe.each([
  ['ModelFitArgs', 'training_tensors.d.ts', 'fit-options.test.ts'],
  ['ModelFitDatasetArgs', 'training_dataset.d.ts', 'fit-dataset-options.test.ts'],
])('the table of %s', (name, types, tests) => {
  const declared = optionsOf(types, name);
  const rows = rowsOf(name);
  const source = readText(`packages/callback/test/${tests}`);

  it('has a row for each option', () => {
    expect(declared.length).toBeGreaterThan(9);
    expect(rows.map(({ option }) => option).toSorted()).toEqual(declared.toSorted());
  });

  it.each(rows)('names a test that there is for $option', ({ test }) => {
    expect(test.length).toBeGreaterThan(5);
    expect(source).toContain(`'${test}`);
  });
});
