import type { SetupProgress } from '@batchwise/native';
import cliProgress, { SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import { clockTime, percent } from './format.ts';

/** Shows how far a setup is. */
export interface SetupView {
  readonly show: (progress: SetupProgress) => void;
  readonly notice: (line: string) => void;
  /** Leaves the last bar as it is; may be called again. */
  readonly stop: () => void;
}

interface ViewOptions {
  /** The output is a terminal that can be redrawn: a bar per step; otherwise a line per step. */
  readonly live: boolean;
  readonly print: (line: string) => void;
}

/** `120 MB of 274 MB`, `120 MB`, `2 of 5`; nothing for a step that cannot be counted. */
export function amount({ done, total, unit }: SetupProgress): string {
  const text = (value: number): string => (unit === 'bytes' ? prettyBytes(value) : String(value));
  if (total === undefined && unit === 'parts') return '';
  return total === undefined ? text(done) : `${text(done)} of ${text(total)}`;
}

export function setupView({ live, print }: ViewOptions): SetupView {
  let step: string | undefined;
  let bar: SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const show = (progress: SetupProgress): void => {
    const { done, total = 0 } = progress;
    const isNew = progress.step !== step;
    step = progress.step;
    if (isNew && !live) print(step);
    if (!live) return;
    if (isNew || !bar) {
      stop();
      bar = makeBar(step);
      bar.start(total, done, { amount: amount(progress) });
    }
    bar.setTotal(total);
    bar.update(done, { amount: amount(progress) });
  };
  const notice = (line: string): void => {
    stop();
    print(line);
  };
  return { show, notice, stop };
}

/** A bar that shows the amount alone while the end is not known. */
const makeBar = (step: string): SingleBar =>
  new SingleBar({
    format: (options, { progress, total, startTime }, { amount: text }: { amount: string }) => {
      const share =
        total > 0 ? `  ${cliProgress.Format.BarFormat(progress, options)}  ${percent(progress)}` : '';
      return `  ${step}${share}  ${text}  ${clockTime((Date.now() - startTime) / 1000)}`;
    },
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    gracefulExit: false,
    forceRedraw: true,
  });
