import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { bytesIn, whileWatching } from '../src/progress.ts';
import { temporaryFolder, writeFiles } from './fake-machine.ts';

it('counts the bytes of all files below, and none where there is no folder', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, ['four', 'deep/er/12345']);
  expect(await bytesIn([folder, join(folder, 'not there')])).toBe('four'.length + 'deep/er/12345'.length);
});

it('reports growth while work goes on, and nothing after its end', async () => {
  const folder = await temporaryFolder();
  const reports: number[] = [];
  const work = async (): Promise<string> => {
    await writeFile(join(folder, 'file'), 'x'.repeat(1000));
    await pause(1200);
    return 'done';
  };
  expect(await whileWatching([folder], (bytes) => void reports.push(bytes), work)).toBe('done');
  const before = reports.length;
  expect(before).toBeGreaterThan(0);
  expect(new Set(reports)).toEqual(new Set([1000]));
  await pause(600);
  expect(reports).toHaveLength(before);
});
