import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheDirectory } from '@batchwise/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { WHY_NO_NATIVE } from '../native/native-tensorflow.ts';
import { requireBuild } from '../support/repository.ts';

beforeAll(requireBuild);

const script = fileURLToPath(new URL('out-of-memory.mjs', import.meta.url));

describe.skipIf(WHY_NO_NATIVE)('memory that is full while a step runs as a graph', () => {
  it('is recognised, leaves nothing behind, and the size goes on kernel by kernel', async () => {
    // TensorFlow waits for ten seconds before it gives up.
    const env = { ...process.env, TF_CPU_ALLOCATOR_USE_BFC: '1', TF_CPU_BFC_MEM_LIMIT_IN_MB: '120' };
    const { stdout } = await promisify(execFile)(process.execPath, [script, cacheDirectory()], { env });
    expect(JSON.parse(stdout)).toEqual({
      traced: ['gradient traced', 'update traced'],
      verdict: 'outOfMemory',
      left: 0,
      after: expect.closeTo(Math.log(3), 2) as number,
      said: ['gradient eager'],
    });
  });
});
