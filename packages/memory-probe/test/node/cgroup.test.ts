import { describe, expect, it } from 'vitest';
import { cgroupMemory } from '../../src/node/cgroup.ts';
import { filesOf } from './files.ts';

const V1 = {
  '/proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/jobs/a\n0::/\n',
  '/proc/self/mountinfo':
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,cpu,memory\n',
  '/sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/jobs/a/memory.usage_in_bytes': '300\n',
  '/sys/fs/cgroup/memory/jobs/a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
  '/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': '1000\n',
  '/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes': '500\n',
  '/sys/fs/cgroup/memory/jobs/memory.stat': 'cache 90\ninactive_file 5\ntotal_inactive_file 40\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': '9000\n',
};

const V2 = {
  '/proc/self/cgroup': '0::/user.slice/job\n',
  '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n',
  '/sys/fs/cgroup/user.slice/job/memory.max': '800\n',
  '/sys/fs/cgroup/user.slice/job/memory.current': '350\n',
  '/sys/fs/cgroup/user.slice/job/memory.stat': 'anon 250\ninactive_file 70\n',
  '/sys/fs/cgroup/user.slice/job/memory.events': 'low 0\nhigh 2\nmax 7\noom 1\noom_kill 1\n',
  '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
  '/sys/fs/cgroup/user.slice/memory.current': '4000\n',
};

describe('cgroupMemory', () => {
  it('finds the limit of a group above in version 1, and what is used under it', async () =>
    expect(await cgroupMemory('self', filesOf(V1))).toEqual({
      version: 1,
      limitBytes: 1000,
      usedBytes: 460,
      oomKills: 3,
    }));

  it('reads version 2', async () =>
    expect(await cgroupMemory('self', filesOf(V2))).toEqual({
      version: 2,
      limitBytes: 800,
      usedBytes: 280,
      oomKills: 1,
    }));

  it('reads the mounted group of a container, whose path is that of the host', async () => {
    const files = {
      '/proc/7/cgroup': '0::/../../docker/abc\n',
      '/proc/7/mountinfo': '30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
      '/sys/fs/cgroup/memory.max': '640\n',
      '/sys/fs/cgroup/memory.current': '100\n',
    };
    expect(await cgroupMemory(7, filesOf(files))).toEqual({
      version: 2,
      limitBytes: 640,
      usedBytes: 100,
      oomKills: null,
    });
    const own = { ...files, '/proc/7/cgroup': '0::/docker/abc\n' };
    expect(await cgroupMemory(7, filesOf(own))).toMatchObject({ limitBytes: 640 });
  });

  it('has no limit where none is set', async () => {
    const files = { ...V2, '/sys/fs/cgroup/user.slice/job/memory.max': 'max\n' };
    expect(await cgroupMemory('self', filesOf(files))).toMatchObject({ limitBytes: null, usedBytes: 280 });
  });

  it('is unknown outside of Linux', async () =>
    expect(await cgroupMemory('self', filesOf({}))).toBeUndefined());

  it.runIf(process.platform === 'linux')('agrees with what Node says of this process', async () => {
    const limit = (await cgroupMemory())?.limitBytes ?? null;
    const said = process.constrainedMemory();
    // Node answers 0, or a number beyond any machine, where there is no limit.
    expect(limit).toBe(said > 0 && said < 2 ** 60 ? said : null);
  });
});
