import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = new URL('../../bench/', import.meta.url);
const run = (name: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(name, folder)), ...args], { encoding: 'utf8' });

it('a benchmark prints the comment at its head as help, and refuses what it does not know', () => {
  const help = run('samplers.mjs', '--help');
  expect([help.status, help.stdout]).toEqual([
    0,
    expect.stringMatching(/^Draws per second of the samplers[^]*\n {2}node bench\/samplers\.mjs \[--python/),
  ]);
  const wrong = run('samplers.mjs', '--sises', '1e4');
  expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
    2,
    '',
    expect.stringMatching(/^Unknown option '--sises'[^]*Try --help\.\n$/),
  ]);
});

it('each benchmark with options names them all in that comment', () => {
  const benchmarks = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  const unnamed = benchmarks.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const given = /argumentsOf\(import\.meta\.url, \{\n([^]*?)\n\}\);/.exec(text)?.[1] ?? '';
    const options = [...given.matchAll(/^ {2}(\w+):/gm)].map(([, option]) => `--${option}`);
    const head = text.slice(0, text.search(/^[^/]/m));
    return options.filter((option) => !head.includes(option)).map((option) => `${name} ${option}`);
  });
  expect(unnamed).toEqual([]);
});
