import type { Observer, RunEvents } from '@batchwise/core';
import { MultiBar, type SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import colors from 'picocolors';
import { clockTime, count, duration, figure, hanging, percent } from './format.ts';
import { accuracyOf } from './run-record.ts';
import type { RunState } from './run-state.ts';

/** What a view is told once. */
export interface ViewOptions {
  readonly state: RunState;
  readonly epochs: number;
  readonly trainExamples: number;
  readonly print: (line: string) => void;
}

/** The terminal's code for: clear from here to the end of the line. */
const ERASE_REST = '\u001b[K';

/** Shows the cursor and wraps lines again, where the program ends while the view is up. */
const restoreTerminal = (): void => void process.stdout.write('\u001b[?25h\u001b[?7h');

/** Where in the run something happened. */
const when = (examples: number): string => `  ${count(examples).padStart(9)} examples  `;

/** A plan change: when, from what to what, and under it why. */
export function planLine({ examples, from, to, reason }: RunEvents['planChanged']): string {
  const parts = to.microBatchSize < to.batchSize ? ` in parts of ${count(to.microBatchSize)}` : '';
  const change =
    from.batchSize === to.batchSize && from.microBatchSize === to.microBatchSize
      ? `batch ${count(to.batchSize)} stays`
      : `batch ${count(from.batchSize)} → ${count(to.batchSize)}${parts}`;
  return `${when(examples)}${colors.bold(change)}\n${hanging(' '.repeat(when(0).length), reason.text)}`;
}

/** The result of an epoch. */
export function epochLine(event: RunEvents['epochFinished'], epochs: number): string {
  const accuracy = accuracyOf(event.validation);
  const validation = event.validation
    ? `  validation loss ${figure(event.validation.loss)}${accuracy === undefined ? '' : `, accuracy ${percent(accuracy)}`}`
    : '';
  const cut = event.complete ? '' : ' (cut short)';
  const cost = `(${count(event.epochSteps)} steps, ${duration(event.seconds)})`;
  const result = `epoch ${event.epoch + 1} of ${epochs}${cut}: train loss ${figure(event.trainLoss)}${validation}  ${cost}`;
  return hanging(when(event.examples), result);
}

function failureLine({ examples, outcome }: RunEvents['stepFailed']): string {
  if (outcome.kind === 'deviceLost')
    return `${when(examples)}the GPU was lost; going on from the weights kept last`;
  return `${when(examples)}step failed (${outcome.kind}), trying again`;
}

/** Plain lines for each plan change and epoch. For files and pipes. */
export function plainView({ epochs, print }: ViewOptions): Observer {
  return {
    name: 'plain view',
    onPlanChanged: (event) => print(planLine(event)),
    onStepFailed: (event) => print(failureLine(event)),
    onEpochFinished: (event) => print(epochLine(event, epochs)),
  };
}

const BAR = '  epoch {epoch} of {epochs}  {bar}  {percentage} %  {left} left  {done} of {planned} examples';
/** Characters of that line apart from the bar, with room for large runs. */
const BAR_LINE = 70;

/** A view for a terminal: a bar and two lines that stay at the bottom, and above them what happened. */
export function liveView({ state, epochs, trainExamples }: ViewOptions): Observer {
  const planned = epochs * trainExamples;
  const screen = new MultiBar({
    format: BAR,
    barsize: Math.max(4, Math.min(24, (process.stdout.columns ?? 100) - BAR_LINE)),
    hideCursor: true,
    fps: 8,
    forceRedraw: true,
    gracefulExit: false,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  });
  const values = (): Record<string, string | number> => ({
    epoch: Math.min(epochs, state.epoch + 1),
    epochs,
    done: count(state.examples),
    planned: count(planned),
    left: clockTime(state.secondsLeft(planned)),
  });
  process.once('exit', restoreTerminal);
  const line = (): SingleBar => screen.create(1, 0, { text: '' }, { format: '  {text}' });
  let rows: readonly [SingleBar, SingleBar, SingleBar] | undefined;
  const redraw = (): void => {
    const [bar, first, second] = (rows ??= [screen.create(planned, 0, values()), line(), line()]);
    bar.update(state.examples, values());
    first.update(0, { text: `${state.progressText}   memory ${prettyBytes(state.peakBytes)}` });
    second.update(0, {
      text: [state.batchText, state.noiseText, state.speedText].filter(Boolean).join('   '),
    });
  };
  const above = (text: string): void => {
    redraw();
    // The lines of the bars stand where these are written, and may be longer.
    screen.log(text.replaceAll(/$/gm, ERASE_REST) + '\n');
  };
  return {
    name: 'live view',
    onRunStarted: redraw,
    onStepFinished: redraw,
    onPlanChanged: (event) => above(planLine(event)),
    onStepFailed: (event) => above(failureLine(event)),
    onEpochFinished: (event) => above(epochLine(event, epochs)),
    onRunFinished: () => {
      redraw();
      // What was said last is still waiting to be written.
      screen.update();
      screen.stop();
      process.off('exit', restoreTerminal);
    },
  };
}
