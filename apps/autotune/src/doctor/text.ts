import colors from 'picocolors';
import prettyBytes from 'pretty-bytes';
import wrapAnsi from 'wrap-ansi';
import { duration, shortened } from '../format.ts';
import type { Machine } from './machine.ts';
import type { DoctorRecord, EngineReport, Verdict } from './report.ts';

/** The widest that the report gets; wider lines are hard to read. */
const WIDEST = 100;
const NARROWEST = 60;

/** The report for a person, for a terminal of so many columns. */
export function doctorText(record: DoctorRecord, columns = 80): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, columns));
  const line = (label: string, text: string): string => hang(label.padEnd(12), text, width);
  return [
    ...machineLines(record.machine).map(([label, text]) => line(label, text)),
    '',
    ...table(record.engines, width),
    '',
    ...record.engines.flatMap((report) =>
      [...notes(report, record)].map((note, i) => line(i === 0 ? report.engine : '', note)),
    ),
    '',
    line('auto', autoLine(record)),
  ].join('\n');
}

function machineLines({
  platform,
  arch,
  node,
  processor,
  memory,
  graphics,
  nvidia,
}: Machine): [string, string][] {
  const { totalBytes, availableBytes, limitBytes } = memory;
  const limit = limitBytes === null ? '' : `, limited to ${prettyBytes(limitBytes)}`;
  const cards = nvidia.gpus.map(({ name, driver, totalBytes: total, freeBytes }) =>
    [
      `${name}, driver ${driver}`,
      ...(total === null ? [] : [prettyBytes(total)]),
      ...(freeBytes === null ? [] : [`${prettyBytes(freeBytes)} free`]),
    ].join(', '),
  );
  // nvidia-smi says more about its own.
  const others = graphics
    .filter(({ vendor }) => cards.length === 0 || !/nvidia/i.test(vendor))
    .map(({ vendor, model }) => [vendor, model].filter(Boolean).join(' '));
  return [
    ['Machine', `${platform} ${arch}, Node ${node}`],
    ['Processor', `${processor.cores} × ${processor.model}`],
    ['Memory', `${prettyBytes(totalBytes)}, ${prettyBytes(availableBytes)} available${limit}`],
    ['Graphics', [...cards, ...others].join('; ') || `none found (${nvidia.problem ?? 'nothing is listed'})`],
  ];
}

const VERDICTS: Readonly<Record<Verdict, readonly [string, (text: string) => string]>> = {
  trains: ['works', colors.green],
  software: ['slow', colors.yellow],
  trainsWrongly: ['WRONG', colors.red],
  noGpu: ['no GPU', colors.dim],
  unavailable: ['not here', colors.dim],
  crashed: ['crashed', colors.red],
  timedOut: ['hangs', colors.red],
};

const HEADINGS = ['Engine', '', 'Step', 'First step', 'Memory', 'Device'];
const WIDTHS = [8, 10, 10, 12, 10];

function table(engines: readonly EngineReport[], width: number): string[] {
  const deviceWidth = width - WIDTHS.reduce((a, b) => a + b) - 1;
  const cells = (texts: readonly string[]): string =>
    texts
      .map((text, i) => text.padEnd(WIDTHS[i] ?? 0))
      .join('')
      .trimEnd();
  const time = (ms: number | null): string => (ms === null ? '–' : duration(ms / 1000));
  const bytes = (value: number | null): string => (value === null ? '–' : prettyBytes(value));
  return [
    colors.bold(cells(HEADINGS)),
    ...engines.map(({ engine, verdict, stepMs, firstStepMs, memoryBytes, device }) => {
      const [word, paint] = VERDICTS[verdict];
      const name = `${engine.padEnd(8)}${paint(word.padEnd(10))}`;
      const numbers = [time(stepMs), time(firstStepMs), bytes(memoryBytes)];
      const rest = [...numbers, shortened(device ?? '–', deviceWidth)];
      return (
        name +
        rest
          .map((text, i) => text.padEnd(WIDTHS[i + 2] ?? 0))
          .join('')
          .trimEnd()
      );
    }),
  ];
}

function* notes(report: EngineReport, { reference }: DoctorRecord): Generator<string> {
  const { version, works, lossDifference, limits, reason, remedy, engine } = report;
  const other = engine === 'cpu' || reference.engine === null ? 'the stated ones' : "the cpu engine's";
  if (version !== null)
    yield [
      version,
      ...(works && lossDifference !== null
        ? [
            lossDifference === 0
              ? `the same losses as ${other}`
              : `losses within ${lossDifference.toExponential(0)} of ${other}`,
          ]
        : []),
      ...(limits.webgpu
        ? [
            `buffers up to ${prettyBytes(limits.webgpu.maxBufferSize)}, ` +
              `bindings up to ${prettyBytes(limits.webgpu.maxStorageBufferBindingSize)}`,
          ]
        : []),
    ].join('; ');
  if (reason) yield reason;
  if (remedy) yield colors.bold(remedy);
}

function autoLine({ auto, engines }: DoctorRecord): string {
  const taken = engines.find(({ engine }) => engine === auto.engine);
  const better = engines.find(({ works }) => works);
  const instead = better ? `; give --backend ${better.engine}` : '';
  if (auto.engine === null) return `takes no engine: ${auto.reason}${instead}`;
  const line = `takes ${auto.engine}: ${auto.reason}`;
  return !taken || taken.works ? line : `${line}. It does not train right here${instead}`;
}

function hang(label: string, text: string, width: number): string {
  const lines = wrapAnsi(text, width - label.length, { trim: true }).split('\n');
  return lines.map((line, i) => (i === 0 ? label : ' '.repeat(label.length)) + line).join('\n');
}
