import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { bytesIn, whileWatching } from '../src/progress.ts';
import { temporaryFolder, writeFiles } from './fake-machine.ts';

it('counts the bytes of all files below, and none where there is no folder', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, ['four', 'deep/er/12345']);
  expect(await bytesIn([folder, join(folder, 'not there')])).toBe('four'.length + 'deep/er/12345'.length);
});

it('reports growth while work goes on, and nothing after its end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const folder = await temporaryFolder();
  const reports: number[] = [];
  const report = (bytes: number): void => void reports.push(bytes);
  const result = await whileWatching([folder], report, async () => {
    await writeFile(join(folder, 'file'), 'x'.repeat(1000));
    vi.advanceTimersByTime(500);
    while (reports.length < 1) await pause(1);
    // This measurement is under way when the work ends.
    vi.advanceTimersByTime(500);
    return 'done';
  });
  vi.advanceTimersByTime(5000);
  await pause(50);
  expect([result, reports]).toEqual(['done', [1000]]);
});

it('says for how long nothing grew', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const folder = await temporaryFolder();
  const idle: number[] = [];
  await whileWatching(
    [folder],
    (_, idleSeconds) => void idle.push(idleSeconds),
    async () => {
      for (const [round, name] of ['first', 'none', 'none', 'fourth'].entries()) {
        if (name !== 'none') await writeFile(join(folder, name), name);
        vi.advanceTimersByTime(500);
        while (idle.length < round + 1) await pause(1);
      }
    },
  );
  expect(idle).toEqual([0, 0.5, 1, 0]);
});
