import type { TrialOutcome } from '../trial.ts';

/** How a process ended that gave no answer. */
export interface Death {
  readonly code: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to its standard error. */
  readonly lastWords: string;
}

/** A limit and the most that was seen in use under it. */
export interface Pressure {
  /** `cgroup v2`, `ulimit -v`, … */
  readonly source: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** What is known of memory around a death. */
export interface MemoryEvidence {
  readonly pressures: readonly Pressure[];
  /** Processes of its control group that were killed for memory meanwhile. */
  readonly oomKills: number;
}

/** Ends that a full memory can bring about. A shell or a container tells a signal as 128 + its number. */
const MEMORY_SIGNALS = new Set(['SIGKILL', 'SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGTRAP']);
const MEMORY_CODES = new Set([133, 134, 135, 137, 139]);

/** What allocators, the JavaScript engine and TensorFlow say when there is no more. */
const MEMORY_WORDS =
  /bad_alloc|out of memory|cannot allocate memory|allocation failed|ENOMEM|OOM when allocating|RESOURCE_EXHAUSTED/i;

/** A limit counts as reached from this share of it on: what was asked for last is not in use, and samples miss peaks. */
const REACHED = 0.9;

/**
 * Tells what a trial's process died of. A kill, an abort or a segmentation fault is a full memory only where the process
 * said so, the kernel counted a kill for memory, or a limit was reached. Without that it is `lost`, and any other end is
 * the error that it is.
 */
export function explainDeath(death: Death, { pressures, oomKills }: MemoryEvidence): TrialOutcome {
  const { code, signal, lastWords } = death;
  const end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  const mayBeMemory =
    (signal !== null && MEMORY_SIGNALS.has(signal)) || (code !== null && MEMORY_CODES.has(code));
  const said = lastLines(lastWords);
  if (!mayBeMemory) return { kind: 'error', message: `The trial's process ${end} without an answer.${said}` };
  const reached = pressures.find(({ usedBytes, limitBytes }) => usedBytes >= REACHED * limitBytes);
  const words = MEMORY_WORDS.exec(lastWords);
  const cause =
    oomKills > 0
      ? 'the kernel killed for memory in its control group'
      : words
        ? `it said "${words[0]}"`
        : reached &&
          `${megabytes(reached.usedBytes)} of ${megabytes(reached.limitBytes)} MB were in use (${reached.source})`;
  if (cause !== undefined)
    return { kind: 'tooBig', limit: 'memory', message: `The trial's process ${end}: ${cause}.` };
  return { kind: 'lost', message: `The trial's process ${end}, and nothing was short of memory.${said}` };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** The line that names an error, where there is one, else the last few. */
function lastLines(words: string): string {
  const lines = words.trim().split('\n');
  const named = lines.find((line) => /^\S*(Error|FATAL ERROR)\b/.test(line));
  const said = named ?? lines.slice(-5).join(' | ');
  return said === '' ? '' : ` It said: ${said}`;
}
