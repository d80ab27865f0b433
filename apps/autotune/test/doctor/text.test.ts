import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { referenceOf, reportOn, type Finding } from '../../src/doctor/examine.ts';
import { doctorText } from '../../src/doctor/text.ts';
import { median, largestDifference, type DoctorRecord } from '../../src/doctor/report.ts';
import { H200, LOSSES, facts, machine, surroundings, trained, unavailable } from './fakes.ts';

const findings: readonly Finding[] = [
  {
    engine: 'cuda',
    way: 'plain',
    earlier: '',
    outcome: trained('cuda', { stepMs: [2, 2], firstStepMs: 1400 }),
  },
  {
    engine: 'native',
    way: 'plain',
    earlier: '',
    outcome: unavailable('/a/long/path/to/a/file/that/fails.node: Error: GLIBC_2.38 not found'),
  },
  {
    engine: 'webgpu',
    way: 'null',
    earlier: 'There is no GPU in /dev/dri',
    outcome: {
      kind: 'loaded',
      facts: facts('webgpu', { webgpu: { maxBufferSize: 1e9, maxStorageBufferBindingSize: 5e8 } }),
    },
  },
  { engine: 'wasm', way: 'plain', earlier: '', outcome: trained('wasm', { losses: [3, 3, 3] }) },
  { engine: 'cpu', way: 'plain', earlier: '', outcome: trained('cpu') },
];

function record(auto: DoctorRecord['auto']): DoctorRecord {
  const around = surroundings({ machine: machine([H200], 32e9) });
  const reference = referenceOf(findings);
  const engines = findings.map((finding) => reportOn(finding, reference, around));
  return { schema: 'batchwise.doctor/1', machine: around.machine, reference, engines, auto };
}

const text = (
  auto: DoctorRecord['auto'] = { engine: 'cuda', reason: 'the fastest there is' },
  columns = 80,
) => stripVTControlCharacters(doctorText(record(auto), columns)).split('\n');

describe('the report', () => {
  it.each([60, 80, 200])('keeps within %d columns, and within 100', (columns) => {
    const longest = Math.max(...text(undefined, columns).map(({ length }) => length));
    expect(longest).toBeLessThanOrEqual(Math.min(100, columns));
  });

  it('has a line per engine, then what is to be said of each, and ends with auto', () => {
    expect(text()).toEqual([
      'Machine     linux x64, Node 22.0.0',
      'Processor   16 × A Processor With a Rather Long Name @ 2.80GHz',
      'Memory      64 GB, 60 GB available, limited to 32 GB',
      'Graphics    NVIDIA H200, driver 570.86.15, 150 GB, 149 GB free',
      '',
      'Engine            Step      First step  Memory    Device',
      'cuda    works     2 ms      1.4 s       150 GB    the device of cuda',
      'native  not here  –         –           –         –',
      'webgpu  no GPU    –         –           –         the device of webgpu',
      'wasm    WRONG     12 ms     50 ms       32 GB     the device of wasm',
      'cpu     works     12 ms     50 ms       32 GB     the device of cpu',
      '',
      "cuda        tfjs 4.22.0; the same losses as the cpu engine's",
      'native      /a/long/path/to/a/file/that/fails.node: Error: GLIBC_2.38 not found',
      '            npx batchwise setup-native',
      'webgpu      tfjs 4.22.0; buffers up to 1 GB, bindings up to 500 MB',
      '            no GPU: There is no GPU in /dev/dri. Dawn loads; on its null device',
      '            nothing is computed',
      '            For a GPU: install its driver with Vulkan (vulkaninfo lists what',
      '            Vulkan sees).',
      'wasm        tfjs 4.22.0',
      '            trains wrongly: losses 3.000, 3.000, 3.000 where 2.318, 2.225, 2.097',
      '            are right',
      '            Do not train on it: npx batchwise train --backend cpu',
      'cpu         tfjs 4.22.0; losses within 2e-7 of the stated ones',
      '',
      'auto        takes cuda: the fastest there is',
    ]);
  });

  it.each<[DoctorRecord['auto'], string]>([
    [
      { engine: 'wasm', reason: 'the fastest here' },
      'takes wasm: the fastest here. It does not train right here; give --backend cuda',
    ],
    [{ engine: null, reason: 'none loads' }, 'takes no engine: none loads; give --backend cuda'],
  ])('warns of what auto takes: %o', (auto, line) => {
    expect(text(auto, 100).at(-1)).toBe(`auto        ${line}`);
  });
});

describe('numbers', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[9, 1, 4], 4],
    [[9, 1, 4, 2], 3],
  ])('the median of %o is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('the largest difference is of whichever step', () => {
    expect(largestDifference([1, 2.5, 3], [1, 2, 3.25])).toBe(0.5);
    expect(largestDifference(LOSSES, LOSSES)).toBe(0);
    expect(largestDifference([1, null, 3], [1, 2, 3])).toBeNull();
    expect(largestDifference([1, 2], [1, 2, 3])).toBeNull();
  });
});
