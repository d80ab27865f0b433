import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { childProbes, type ProbeOutcome } from '../../src/doctor/run-probe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchwise-probe-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const REQUEST = { task: 'engine', engine: 'cpu', train: true } as const;

/** Sends out a probe that runs a script. */
async function sendOut(
  script: string,
  { limit = 60, signal = new AbortController().signal, env = {} } = {},
): Promise<ProbeOutcome> {
  const program = join(folder, `${Math.floor(performance.now() * 1000)}.mjs`);
  await writeFile(program, script);
  return childProbes({ program, timeLimitSeconds: limit, signal })(REQUEST, env);
}

const phase = (name: string): string => `process.send({ kind: 'phase', phase: '${name}' });`;

describe('a probe in a process of its own', () => {
  it('is told its task and environment, and answers', async () => {
    const script = `process.send({ kind: 'unavailable', reason: process.argv[2], hint: process.env.WORD });`;
    expect(await sendOut(script, { env: { WORD: 'yes' } })).toEqual({
      kind: 'unavailable',
      reason: JSON.stringify(REQUEST),
      hint: 'yes',
    });
  });

  it('is over with its answer, whatever it does then', async () => {
    const script = `process.send({ kind: 'graphics', cards: [] }); setInterval(() => {}, 1000);`;
    expect(await sendOut(script)).toEqual({ kind: 'graphics', cards: [] });
  });

  it.each([
    [
      'throws',
      `${phase('loading')} throw new TypeError('no such library');`,
      'its process ended while loading (exit code 1): TypeError: no such library',
      null,
    ],
    ['leaves', `process.exit(3);`, 'its process ended while starting (exit code 3)', null],
    [
      'aborts with a word',
      `${phase('training')} console.error("terminate called after throwing 'std::bad_alloc'\\n  what():  std::bad_alloc");
       setTimeout(() => process.kill(process.pid, 'SIGABRT'), 50);`,
      "its process ended while training (SIGABRT): terminate called after throwing 'std::bad_alloc'",
      'SIGABRT',
    ],
    [
      'meets an instruction that is not there',
      `${phase('loading')} setTimeout(() => process.kill(process.pid, 'SIGILL'), 50);`,
      'its process ended while loading (SIGILL): this processor lacks an instruction that the engine was built for',
      'SIGILL',
    ],
    [
      'runs out of memory',
      `setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);`,
      'its process ended while starting (SIGKILL): killed, often for want of memory',
      'SIGKILL',
    ],
  ])('that %s is a reason, not an end', async (_what, script, reason, signal) => {
    expect(await sendOut(script)).toEqual({ kind: 'crashed', reason, signal });
  });

  it('that hangs is ended, though it looks at no signal', async () => {
    const pidFile = join(folder, 'hanging');
    const script = `import { writeFileSync } from 'node:fs';
      process.on('SIGTERM', () => {}); writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
      ${phase('loading')} setTimeout(() => { for (;;); }, 50);`;
    expect(await sendOut(script, { limit: 1 })).toEqual({
      kind: 'timedOut',
      reason: 'still loading after 1 s',
    });
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is ended with the doctor', async () => {
    const pidFile = join(folder, 'interrupted');
    const interrupt = new AbortController();
    const script = `import { writeFileSync } from 'node:fs';
      writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); for (;;);`;
    const outcome = sendOut(script, { signal: interrupt.signal });
    const pid = await vi.waitFor(async () => {
      const text = await readFile(pidFile, 'utf8');
      expect(text).not.toBe('');
      return Number(text);
    });
    interrupt.abort(new Error('Ctrl-C'));
    await expect(outcome).rejects.toThrow('Ctrl-C');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(sendOut('', { signal: interrupt.signal })).rejects.toThrow('Ctrl-C');
  });

  it('may print as much as it likes', async () => {
    const script = `for (let i = 0; i < 20_000; i += 1) { console.log('x'.repeat(100)); console.error('y'.repeat(100)); }
      process.send({ kind: 'graphics', cards: [] });`;
    expect(await sendOut(script)).toMatchObject({ kind: 'graphics' });
  });
});
