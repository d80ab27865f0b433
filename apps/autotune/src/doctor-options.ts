import { ENGINE_NAMES, type EngineName } from '@batchwise/backend/node';
import { InvalidArgumentError, type Command } from 'commander';

/** The options of `batchwise doctor`, checked. */
export interface DoctorOptions {
  readonly json?: string;
  readonly only: readonly EngineName[];
  readonly timeLimit: number;
}

const ENGINES = ENGINE_NAMES.filter((name) => name !== 'auto');

function engines(text: string): EngineName[] {
  const asked = text.split(',').map((name) => name.trim());
  const known = ENGINES.filter((name) => asked.includes(name));
  if (known.length !== new Set(asked).size)
    throw new InvalidArgumentError(`Give some of ${ENGINES.join(',')}, with commas between them.`);
  return known;
}

function seconds(text: string): number {
  const value = Number(text);
  // More does not fit into a timer.
  if (!(value > 0 && value <= 86_400))
    throw new InvalidArgumentError('Give seconds, above 0 and up to 86400.');
  return value;
}

function path(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Give a path.');
  return text;
}

const HELP = `
Each engine trains a small network in a process of its own. It works if its losses are those of the cpu engine.

Exit codes: 0 when an engine trains right, 1 when none does, 2 for a wrong command line, 130 when interrupted.`;

/** Declares `batchwise doctor`. */
export function addDoctorCommand(program: Command, run: (options: DoctorOptions) => Promise<void>): void {
  program
    .command('doctor')
    .description('try every engine, and say which work, how fast they are, and what mends the others')
    .option('--json <file>', 'write what was found as JSON', path)
    .option('--only <engines>', `some of ${ENGINES.join(',')}`, engines, ENGINES)
    .option('--time-limit <seconds>', 'for each engine', seconds, 60)
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) => run(options));
}
