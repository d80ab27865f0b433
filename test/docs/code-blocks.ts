/** A fenced TypeScript block of a Markdown file. */
export interface CodeBlock {
  /** Path of the Markdown file from the root. */
  readonly path: string;
  /** Line of the block's first line of code in that file, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** False for a block marked `no-run`: it is type-checked only. */
  readonly isRun: boolean;
}

const FENCE = /^(?<indent>\s*)(?<marks>`{3,}|~{3,})\s*(?<info>.*)$/;

/**
 * The `ts` blocks of a Markdown text.
 * @throws Error when a block is not closed or carries a flag other than `no-run`
 */
export function codeBlocks(path: string, markdown: string): readonly CodeBlock[] {
  const lines = markdown.split(/\r?\n/);
  const blocks: CodeBlock[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const { indent = '', marks, info = '' } = FENCE.exec(lines[at] ?? '')?.groups ?? {};
    if (marks === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === marks);
    if (end === -1) throw new Error(`${path}:${at + 1}: the block is not closed.`);
    const [language = '', ...flags] = info.trim().split(/\s+/);
    if (/^(ts|typescript)$/i.test(language)) {
      const unknown = flags.filter((flag) => flag !== 'no-run');
      if (unknown.length > 0)
        throw new Error(`${path}:${at + 1}: unknown flag ${unknown.join(' ')}; only no-run is known.`);
      const code = lines
        .slice(at + 1, end)
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
      blocks.push({ path, line: at + 2, code: `${code.join('\n')}\n`, isRun: flags.length === 0 });
    }
    at = end;
  }
  return blocks;
}

/** The block's code on the same lines as in the Markdown file, so that a message about it names the right one. */
export const onItsLines = ({ code, line }: CodeBlock): string => '\n'.repeat(line - 1) + code;
