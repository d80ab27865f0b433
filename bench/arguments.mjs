// The options of a benchmark, whose help is the comment at its head.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * The values of `options`, which are as for `parseArgs`. Ends the process with the help where that is asked for, or with 2 and
 * what was wrong.
 * @param {string} url that of the benchmark
 */
export function argumentsOf(url, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', default: false } } });
    if (!values.help) return values;
  } catch (error) {
    console.error(`${error.message}\nTry --help.`);
    process.exit(2);
  }
  const lines = readFileSync(new URL(url), 'utf8').split('\n');
  const head = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  );
  console.log(head.map((line) => line.slice(3)).join('\n'));
  process.exit(0);
}
