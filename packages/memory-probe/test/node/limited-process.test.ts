import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { limitedProcess, type ProcessLimits } from '../../src/node/limited-process.ts';

/** A folder that takes who joins, as a control group does. */
function group(): string {
  const folder = mkdtempSync(join(tmpdir(), 'batchwise-group-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The address space in kilobytes that a program may take, and its id, where 4000000 are the hard limit already. */
function started(limits: ProcessLimits) {
  const program = ['/bin/sh', '-c', 'ulimit -v; echo $$'];
  const outer = ['-c', 'ulimit -v 4000000 && exec /bin/sh "$@"', 'sh', ...limitedProcess(limits), ...program];
  const { stdout, stderr } = spawnSync('/bin/sh', outer, { encoding: 'utf8' });
  const [kilobytes, id] = stdout.split('\n');
  return { kilobytes, id, stderr };
}

describe.runIf(process.platform === 'linux')('limitedProcess', () => {
  it('leaves the limit that there is where none is wanted', () => {
    const controlGroup = group();
    const { kilobytes, id, stderr } = started({ controlGroup });
    expect({ kilobytes, stderr }).toEqual({ kilobytes: '4000000', stderr: '' });
    expect(readFileSync(join(controlGroup, 'cgroup.procs'), 'utf8')).toBe(`${id}\n`);
  });

  it('sets a lower one, without a control group', () =>
    expect(started({ addressSpaceBytes: 3e9 })).toMatchObject({ kilobytes: '2929688', stderr: '' }));
});
