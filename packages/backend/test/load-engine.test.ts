import { describe, expect, it } from 'vitest';
import { EngineUnavailable } from '../src/node/engine.ts';
import { loadEngine, type EngineOptions } from '../src/node/index.ts';

type Loaders = NonNullable<EngineOptions['loaders']>;

const fails = (message: string) => () => Promise.reject(new Error(message));

describe('loadEngine', () => {
  it('sets TensorFlow.js to the engine that was asked for', async () => {
    for (const name of ['cpu', 'wasm'] as const) {
      const engine = await loadEngine(name);
      expect(engine.name).toBe(name);
      expect(engine.tf.getBackend()).toBe(name);
      expect(engine.reason).toBe('as asked');
      expect(engine.version).toMatch(/^tfjs 4\./);
    }
  });

  it('takes the next engine for auto, and says in one line what was passed over', async () => {
    const { tf } = await loadEngine('cpu');
    const engine = { tf, version: '1', device: 'test', limits: { memoryBytes: null, tensorBytes: null } };
    const loaders: Loaders = [
      ['cuda', fails('libtensorflow.so.2 is not there\nand more')],
      ['native', fails('the same')],
      [
        'webgpu',
        () => Promise.reject(new EngineUnavailable('no GPU', { message: 'none of /dev', hint: 'Buy one.' })),
      ],
      ['wasm', () => Promise.resolve({ ...engine, name: 'wasm' })],
      ['cpu', fails('never asked')],
    ];
    expect(await loadEngine('auto', { loaders })).toMatchObject({
      name: 'wasm',
      reason: 'the fastest here (cuda, native: does not load; webgpu: no GPU)',
      passedOver: [
        { name: 'cuda', why: 'does not load', detail: 'libtensorflow.so.2 is not there\nand more' },
        { name: 'native', detail: 'the same' },
        { name: 'webgpu', why: 'no GPU', detail: 'none of /dev', hint: 'Buy one.' },
      ],
    });
  });

  it('asks webgpu for a real GPU where it was not asked for by name', async () => {
    const seen: unknown[] = [];
    const loaders: Loaders = [
      ['webgpu', ({ webgpu }) => Promise.reject((seen.push(webgpu), new Error('no')))],
    ];
    const webgpu = { dawn: ['backend=null'] };
    for (const name of ['auto', 'webgpu'] as const)
      await expect(loadEngine(name, { webgpu, loaders })).rejects.toThrow('no');
    expect(seen).toEqual([{ dawn: ['backend=null'], software: false }, { dawn: ['backend=null'] }]);
  });

  it('does not replace an engine that was asked for', async () => {
    const hint = 'Run the setup.';
    const loaders: Loaders = [
      ['native', () => Promise.reject(new EngineUnavailable('no such file', { hint }))],
    ];
    await expect(loadEngine('native', { loaders })).rejects.toMatchObject({
      code: 'invalidOptions',
      message: 'Engine "native" is not to be had: no such file. Run the setup.',
    });
  });

  it('refuses a second copy of TensorFlow.js in one process', async () => {
    await loadEngine('cpu');
    for (const name of ['cuda', 'native'] as const)
      await expect(loadEngine(name)).rejects.toThrow(
        `Engine "${name}" is not to be had: An engine of wasm, webgpu and cpu is loaded in this process already; ` +
          'cuda and native come with a TensorFlow.js of their own, and two of them would mix up their models. ' +
          'Load it in a process of its own.',
      );
  });
});
