import { describe, expect, it } from 'vitest';
import { explainDeath, type Death, type MemoryEvidence } from '../../src/node/death.ts';

const calm: MemoryEvidence = {
  pressures: [{ source: 'ulimit -v', usedBytes: 89e6, limitBytes: 100e6 }],
  oomKills: 0,
};
const full: MemoryEvidence = {
  pressures: [...calm.pressures, { source: 'cgroup v2', usedBytes: 90e6, limitBytes: 100e6 }],
  oomKills: 0,
};
const by = (fields: Partial<Death>): Death => ({ code: null, signal: null, lastWords: '', ...fields });

const ends: [string, Death][] = [
  ['SIGKILL', by({ signal: 'SIGKILL' })],
  ['SIGABRT', by({ signal: 'SIGABRT' })],
  ['SIGSEGV', by({ signal: 'SIGSEGV' })],
  ['134', by({ code: 134 })],
  ['137', by({ code: 137 })],
  ['139', by({ code: 139 })],
];

describe('explainDeath', () => {
  it.each(ends)('takes %s for too big where a limit was reached', (_name, death) =>
    expect(explainDeath(death, full)).toEqual({
      kind: 'tooBig',
      limit: 'memory',
      message: expect.stringContaining('90 of 100 MB were in use (cgroup v2)'),
    }),
  );

  it.each(ends)('takes %s for lost where nothing was short', (_name, death) =>
    expect(explainDeath({ ...death, lastWords: 'a\nb\n' }, calm)).toEqual({
      kind: 'lost',
      message: expect.stringMatching(/nothing was short of memory\. It said: a \| b$/),
    }),
  );

  it('believes the kernel', () =>
    expect(explainDeath(by({ signal: 'SIGKILL' }), { ...calm, oomKills: 1 })).toMatchObject({
      kind: 'tooBig',
      message: "The trial's process was ended by SIGKILL: the kernel killed for memory in its control group.",
    }));

  it.each([
    "terminate called after throwing an instance of 'std::bad_alloc'",
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    'mmap: Cannot allocate memory',
  ])('believes %s', (lastWords) =>
    expect(explainDeath(by({ signal: 'SIGABRT', lastWords }), calm).kind).toBe('tooBig'),
  );

  it.each([0, 1, 2, 130])('takes code %d for the error that it is, whatever the memory', (code) =>
    expect(explainDeath(by({ code, lastWords: 'out of memory' }), full)).toEqual({
      kind: 'error',
      message: `The trial's process ended with code ${code} without an answer. It said: out of memory`,
    }),
  );

  it('takes a signal that memory does not send for an error', () =>
    expect(explainDeath(by({ signal: 'SIGTERM' }), full).kind).toBe('error'));
});
