import { posix } from 'node:path';
import { bytesIn, fieldsOf, readText, type ReadText } from './proc-files.ts';

/** The memory control group of a process: what a container or a service may use. */
export type CgroupMemory = {
  readonly version: 1 | 2;
  /** The lowest limit of the group and of those above it; null where there is none. */
  readonly limitBytes: number | null;
  /** In use by all processes of the group with that limit, without file pages that can be dropped. */
  readonly usedBytes: number | null;
  /** Processes of the group that were killed for memory so far. */
  readonly oomKills: number | null;
};

interface Files {
  readonly limit: string;
  readonly used: string;
  readonly kills: string;
}

const FILES: Readonly<Record<1 | 2, Files>> = {
  1: { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', kills: 'memory.oom_control' },
  2: { limit: 'memory.max', used: 'memory.current', kills: 'memory.events' },
};

/** Version 1 writes "no limit" as the largest number of pages. */
const NO_LIMIT = 2 ** 60;

/** Where the memory control group of a process is: its folder, and those above it. */
export interface CgroupPlace {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/**
 * Reads the limit and use of the memory control group of a process, of version 1 or 2.
 * @param pid a process id; `self` is this one
 * @returns undefined where the process is in none, such as outside of Linux
 */
export async function cgroupMemory(
  pid: number | 'self' = 'self',
  read: ReadText = readText,
): Promise<CgroupMemory | undefined> {
  const place = await findCgroup(pid, read);
  return place && readCgroup(place, read);
}

/** Finds the group, for a process that may be gone when it is read. */
export async function findCgroup(
  pid: number | 'self',
  read: ReadText = readText,
): Promise<CgroupPlace | undefined> {
  const [groups = '', mounts = ''] = await Promise.all([
    read(`/proc/${pid}/cgroup`),
    read(`/proc/${pid}/mountinfo`),
  ]);
  for (const version of [1, 2] as const) {
    const path = groupPath(groups, version);
    const mount = path === undefined ? undefined : mountOf(mounts, version);
    if (path !== undefined && mount !== undefined) return { version, folders: foldersUp(mount, path) };
  }
  return undefined;
}

/** `4:memory:/group` of version 1, `0::/group` of version 2. */
function groupPath(groups: string, version: 1 | 2): string | undefined {
  for (const line of groups.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isMemory = version === 2 ? controllers === '' : controllers.split(',').includes('memory');
    if (isMemory && path !== undefined) return path;
  }
  return undefined;
}

interface Mount {
  /** The group that is seen at `point`. */
  readonly root: string;
  readonly point: string;
}

/** Fields of proc(5): 4 is the root within the file system, 5 the mount point; after ` - ` type, source, options. */
function mountOf(mounts: string, version: 1 | 2): Mount | undefined {
  for (const line of mounts.split('\n')) {
    const [place = '', kind = ''] = line.split(' - ');
    const [, , , root, point] = place.split(' ');
    const [type, , options = ''] = kind.split(' ');
    const isMemory =
      version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory');
    if (isMemory && root !== undefined && point !== undefined) return { root, point };
  }
  return undefined;
}

/** The group's folder and those above it, as far as they are mounted. In a container the path may lead nowhere. */
function foldersUp({ root, point }: Mount, path: string): string[] {
  const inside = posix.relative(root, path);
  const folders = [point];
  if (inside.startsWith('..')) return folders;
  for (const part of inside.split('/').filter(Boolean))
    folders.unshift(posix.join(folders[0] ?? point, part));
  return folders;
}

/** @returns undefined where the group's files are not to be read */
export async function readCgroup(
  { version, folders }: CgroupPlace,
  read: ReadText = readText,
): Promise<CgroupMemory | undefined> {
  const files = FILES[version];
  const levels = await Promise.all(
    folders.map(async (folder) => {
      const names = [files.limit, files.used, 'memory.stat', files.kills];
      const [limit, used, stat, kills] = await Promise.all(names.map((name) => read(`${folder}/${name}`)));
      const limitBytes = bytesIn(limit);
      return {
        isThere: used !== undefined,
        limitBytes: limitBytes !== null && limitBytes < NO_LIMIT ? limitBytes : null,
        usedBytes: workingSet(bytesIn(used), fieldsOf(stat ?? '')),
        oomKills: bytesIn(fieldsOf(kills ?? '').get('oom_kill')),
      };
    }),
  );
  const there = levels.filter(({ isThere }) => isThere);
  const [own] = there;
  if (own === undefined) return undefined;
  // The group's own line first: equal limits above it say nothing more.
  const { limitBytes, usedBytes } = there.reduce((low, level) =>
    (level.limitBytes ?? Infinity) < (low.limitBytes ?? Infinity) ? level : low,
  );
  return { version, limitBytes, usedBytes, oomKills: own.oomKills };
}

/** As Kubernetes counts: without the file pages that were not used of late. */
function workingSet(usedBytes: number | null, stat: ReadonlyMap<string, string>): number | null {
  if (usedBytes === null) return null;
  const droppable = bytesIn(stat.get('total_inactive_file') ?? stat.get('inactive_file')) ?? 0;
  return Math.max(0, usedBytes - droppable);
}
