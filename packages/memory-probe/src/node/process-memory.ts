import { writeFile } from 'node:fs/promises';
import type { MemoryMeter } from '../meters.ts';
import { bytesIn, fieldsOf, kilobytes, readText, type ReadText } from './proc-files.ts';

/** What Linux tells of a process. Null where it does not. */
export type ProcessMemory = {
  /** In physical memory now (RSS), and the most so far. */
  readonly residentBytes: number | null;
  readonly peakResidentBytes: number | null;
  /** Of the resident: pages of files, such as program code, which can be dropped and read again. */
  readonly residentFileBytes: number | null;
  /** Address space now, and the most so far; reserved is not used. */
  readonly addressSpaceBytes: number | null;
  readonly peakAddressSpaceBytes: number | null;
  /** `ulimit -v`; null where there is no such limit. */
  readonly addressSpaceLimitBytes: number | null;
  /** `ulimit -d`. */
  readonly dataLimitBytes: number | null;
  readonly dataBytes: number | null;
};

/**
 * The memory of a process and its limits, from /proc.
 * @param pid a process id; `self` is this one
 * @returns undefined where there is no such process, or no /proc
 */
export async function processMemory(
  pid: number | 'self' = 'self',
  read: ReadText = readText,
): Promise<ProcessMemory | undefined> {
  const [status, limits] = await Promise.all([read(`/proc/${pid}/status`), read(`/proc/${pid}/limits`)]);
  if (status === undefined) return undefined;
  const field = (name: string): number | null => kilobytes(fieldsOf(status).get(name));
  const limit = (name: string): number | null =>
    bytesIn(new RegExp(`^${name} +(\\S+)`, 'm').exec(limits ?? '')?.[1]);
  return {
    residentBytes: field('VmRSS'),
    peakResidentBytes: field('VmHWM'),
    residentFileBytes: field('RssFile'),
    addressSpaceBytes: field('VmSize'),
    peakAddressSpaceBytes: field('VmPeak'),
    addressSpaceLimitBytes: limit('Max address space'),
    dataLimitBytes: limit('Max data size'),
    dataBytes: field('VmData'),
  };
}

/** Of a process before its first step. The rest was given back by what its start needed, and is there for a step to use. */
const FIXED = 0.6;

/**
 * Meters the resident memory of this process, without pages of files, and on Linux with a peak of its own: what counts
 * against a control group. Allocators keep pages that they freed, so in a process that has run a larger step before it is
 * an upper bound.
 */
export function residentMeter(): MemoryMeter {
  const now = async (): Promise<{ readonly bytesInUse: number; readonly peakBytes: number }> => {
    const linux = await processMemory();
    const files = linux?.residentFileBytes ?? 0;
    const bytesInUse = (linux?.residentBytes ?? process.memoryUsage.rss()) - files;
    return { bytesInUse, peakBytes: Math.max(bytesInUse, (linux?.peakResidentBytes ?? 0) - files) };
  };
  return {
    source: 'rss',
    certainty: 'upperBound',
    // Resets VmHWM. Elsewhere there is no peak, and the present stands for it.
    begin: () => writeFile('/proc/self/clear_refs', '5').catch(() => undefined),
    read: now,
    fixedBytes: async () => FIXED * (await now()).bytesInUse,
  };
}
