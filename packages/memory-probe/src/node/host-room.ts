import { freemem } from 'node:os';
import type { Certainty } from '../reading.ts';
import { cgroupMemory } from './cgroup.ts';
import { fieldsOf, kilobytes, readText, type ReadText } from './proc-files.ts';
import { processMemory } from './process-memory.ts';

/** How much more memory there is. */
export type MemoryRoom = {
  readonly freeBytes: number;
  /** What sets it: `cgroup v2`, `ulimit -v`, `MemAvailable`, … */
  readonly source: string;
  /** `exact` where the limit is this process's alone; `unknown` where others take from it too. */
  readonly certainty: Certainty;
};

/**
 * How much more host memory this process may take: the least of its control group, its own limits and what the machine
 * has left.
 * @returns the bound that binds, with all that were found
 */
export async function hostRoom(
  read: ReadText = readText,
): Promise<MemoryRoom & { readonly all: readonly MemoryRoom[] }> {
  const [group, own, meminfo] = await Promise.all([
    cgroupMemory('self', read),
    processMemory('self', read),
    read('/proc/meminfo'),
  ]);
  const available = kilobytes(fieldsOf(meminfo ?? '').get('MemAvailable'));
  const left = (limit: number | null | undefined, used: number | null | undefined): number | null =>
    limit === null || limit === undefined ? null : Math.max(0, limit - (used ?? 0));
  const rooms: (Omit<MemoryRoom, 'freeBytes'> & { readonly freeBytes: number | null })[] = [
    {
      source: `cgroup v${group?.version}`,
      certainty: 'unknown',
      freeBytes: left(group?.limitBytes, group?.usedBytes),
    },
    {
      source: 'ulimit -v',
      certainty: 'exact',
      freeBytes: left(own?.addressSpaceLimitBytes, own?.addressSpaceBytes),
    },
    { source: 'ulimit -d', certainty: 'exact', freeBytes: left(own?.dataLimitBytes, own?.dataBytes) },
    available === null
      ? { source: 'free memory', certainty: 'unknown', freeBytes: freemem() }
      : { source: 'MemAvailable', certainty: 'unknown', freeBytes: available },
  ];
  const all = rooms.flatMap(({ freeBytes, ...room }) => (freeBytes === null ? [] : [{ ...room, freeBytes }]));
  const least = all.reduce((low, room) => (room.freeBytes < low.freeBytes ? room : low));
  return { ...least, all };
}
