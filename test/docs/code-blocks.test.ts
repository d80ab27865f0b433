import { describe, expect, it } from 'vitest';
import { codeBlocks, onItsLines } from './code-blocks.ts';

describe('codeBlocks', () => {
  it('finds ts blocks, their lines and their flag', () => {
    const markdown = [
      '# Title',
      '```ts',
      'a();',
      '',
      'b();',
      '```',
      'text',
      '```ts no-run',
      'c();',
      '```',
      '',
    ].join('\n');
    expect(codeBlocks('x.md', markdown)).toEqual([
      { path: 'x.md', line: 3, code: 'a();\n\nb();\n', isRun: true },
      { path: 'x.md', line: 9, code: 'c();\n', isRun: false },
    ]);
  });

  it('leaves other languages alone, also when they show a fence', () => {
    expect(codeBlocks('x.md', '```sh\nls\n```\n````md\n```ts\na();\n```\n````\n')).toEqual([]);
  });

  it('takes away the indentation of a list item', () => {
    expect(codeBlocks('x.md', '- item\n  ```ts\n  if (a) {\n    b();\n  }\n  ```\n')[0]?.code).toBe(
      'if (a) {\n  b();\n}\n',
    );
  });

  it('refuses an open block and an unknown flag', () => {
    expect(() => codeBlocks('x.md', 'a\n```ts\nb();\n')).toThrow('x.md:2: the block is not closed');
    expect(() => codeBlocks('x.md', '```ts norun\n```\n')).toThrow('x.md:1: unknown flag norun');
  });

  it('keeps line numbers', () => {
    const [block] = codeBlocks('x.md', 'a\n\n```ts\nb();\n```\n');
    expect(block && onItsLines(block)).toBe('\n\n\nb();\n');
  });
});
