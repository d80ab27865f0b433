import { describe, expect, it } from 'vitest';
import { hostRoom } from '../../src/node/host-room.ts';
import { processMemory, residentMeter } from '../../src/node/process-memory.ts';
import { filesOf } from './files.ts';

const STATUS =
  'Name:\tnode\nVmPeak:\t    3000 kB\nVmSize:\t    2000 kB\nVmHWM:\t     900 kB\nVmRSS:\t     800 kB\nRssFile:\t     100 kB\nVmData:\t     500 kB\n';
const LIMITS = [
  'Limit                     Soft Limit           Hard Limit           Units     ',
  'Max data size             1024000              unlimited            bytes     ',
  'Max address space         4096000              unlimited            bytes     ',
].join('\n');
const FILES = {
  '/proc/self/status': STATUS,
  '/proc/self/limits': LIMITS,
  '/proc/meminfo': 'MemTotal:       24000 kB\nMemAvailable:   20000 kB\n',
};

describe('processMemory', () => {
  it('reads /proc', async () =>
    expect(await processMemory('self', filesOf(FILES))).toEqual({
      residentBytes: 819_200,
      peakResidentBytes: 921_600,
      residentFileBytes: 102_400,
      addressSpaceBytes: 2_048_000,
      peakAddressSpaceBytes: 3_072_000,
      addressSpaceLimitBytes: 4_096_000,
      dataLimitBytes: 1_024_000,
      dataBytes: 512_000,
    }));

  it('knows of no limit where it is unlimited', async () => {
    const limits = LIMITS.replace('4096000', 'unlimited');
    const memory = await processMemory('self', filesOf({ ...FILES, '/proc/self/limits': limits }));
    expect(memory?.addressSpaceLimitBytes).toBeNull();
  });

  it('is undefined for a process that is gone', async () =>
    expect(await processMemory(7, filesOf(FILES))).toBeUndefined());

  it.runIf(process.platform === 'linux')('agrees with what Node says of this process', async () => {
    const memory = await processMemory();
    const rss = process.memoryUsage.rss();
    expect(Math.abs((memory?.residentBytes ?? 0) / rss - 1)).toBeLessThan(0.2);
  });
});

describe('residentMeter', () => {
  it.runIf(process.platform === 'linux')('sees a peak that has gone, and forgets it', async () => {
    const meter = residentMeter();
    expect(meter).toMatchObject({ source: 'rss', certainty: 'upperBound' });
    await meter.begin();
    const before = (await meter.read())?.bytesInUse ?? NaN;
    // Three fifths of what is resident, which moves between two readings.
    expect(((await meter.fixedBytes?.()) ?? NaN) / before).toBeCloseTo(0.6, 1);
    // Large blocks go back to the system when they are freed.
    let block: Uint8Array | undefined = new Uint8Array(256e6).fill(1);
    expect(block.length).toBe(256e6);
    const peak = (await meter.read())?.peakBytes ?? NaN;
    expect(peak - before).toBeGreaterThan(250e6);
    expect(peak - before).toBeLessThan(300e6);
    block = undefined;
  });
});

describe('hostRoom', () => {
  it('is the least of all that bounds a process', async () => {
    const room = await hostRoom(filesOf(FILES));
    expect(room).toMatchObject({ freeBytes: 512_000, source: 'ulimit -d', certainty: 'exact' });
    expect(room.all).toEqual([
      { freeBytes: 2_048_000, source: 'ulimit -v', certainty: 'exact' },
      { freeBytes: 512_000, source: 'ulimit -d', certainty: 'exact' },
      { freeBytes: 20_480_000, source: 'MemAvailable', certainty: 'unknown' },
    ]);
  });

  it('counts the control group', async () => {
    const room = await hostRoom(
      filesOf({
        '/proc/meminfo': FILES['/proc/meminfo'],
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
        '/sys/fs/cgroup/memory.max': '9000\n',
        '/sys/fs/cgroup/memory.current': '2000\n',
      }),
    );
    expect(room).toMatchObject({ freeBytes: 7000, source: 'cgroup v2', certainty: 'unknown' });
  });

  it('asks the system where there is no /proc', async () => {
    const room = await hostRoom(filesOf({}));
    expect(room).toMatchObject({ source: 'free memory', certainty: 'unknown' });
    expect(room.freeBytes).toBeGreaterThan(0);
  });
});
