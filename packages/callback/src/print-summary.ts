import type { RunEvents } from '@batchwise/core';
import type { BatchHistory } from './batch-history.ts';
import type { TuningOptions } from './tuning-options.ts';

declare const console: { log(text: string): void };

/** Prints the summary of a run that did not fail, where the options and `verbose` want one. */
export function printTo(
  summary: TuningOptions['summary'],
  { history, silent }: { readonly history: BatchHistory; readonly silent: boolean },
): (event: RunEvents['runFinished']) => void {
  const wanted = summary ?? !silent;
  if (wanted === false) return () => undefined;
  const print = typeof wanted === 'function' ? wanted : (text: string) => console.log(text);
  return ({ status }) => {
    if (status !== 'failed') print(history.summary());
  };
}
