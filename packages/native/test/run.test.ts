import { describe, expect, it } from 'vitest';
import { reasonIn, run } from '../src/run.ts';

const node = (script: string) => ({ program: process.execPath, args: ['-e', script] });

describe('run', () => {
  it('gives the exit code, the output and each line of it', async () => {
    const lines: string[] = [];
    const ending = await run({
      ...node('console.log("one\\ntwo"); console.error(process.env.WORD); process.exitCode = 3'),
      env: { WORD: 'three' },
      onLine: (line) => lines.push(line),
    });
    expect(ending.exitCode).toBe(3);
    expect(ending.output.split('\n').sort()).toEqual(['', 'one', 'three', 'two']);
    expect(lines.sort()).toEqual(['one', 'three', 'two']);
  });

  it('says 127 for a program that is not there', async () => {
    expect(await run({ program: 'no-such-program', args: [] })).toMatchObject({ exitCode: 127 });
  });

  it.skipIf(process.platform === 'win32')('ends what the program started, too', async () => {
    const interrupt = new AbortController();
    const reason = new Error('Ctrl-C');
    const parent = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      child.on('spawn', () => console.log('started'));
      setInterval(() => {}, 1000);`;
    const ending = run({
      ...node(parent),
      signal: interrupt.signal,
      onLine: () => {
        interrupt.abort(reason);
      },
    });
    // The grandchild holds the pipe open: the end comes only when it has ended as well.
    await expect(ending).rejects.toBe(reason);
  });

  it('does not start when it is too late', async () => {
    const signal = AbortSignal.abort(new Error('over'));
    await expect(run({ ...node(''), signal })).rejects.toThrow('over');
  });
});

describe('reasonIn', () => {
  it('finds the line that says most', () => {
    expect(reasonIn('x\nError: getaddrinfo ENOTFOUND a.b\n  syscall: y\nnpm error code 1')).toBe(
      'Error: getaddrinfo ENOTFOUND a.b',
    );
    expect(reasonIn('a.cc:1: error: first\nmake: Error 1')).toBe('a.cc:1: error: first');
    expect(reasonIn('one\ntwo\n')).toBe('two');
    expect(reasonIn('')).toBe('it said nothing');
  });
});
