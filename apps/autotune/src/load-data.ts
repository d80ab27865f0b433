import { loadDataset, splitValidation, type DownloadProgress, type SplitDataset } from '@batchwise/data';
import { SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import type { TrainCommandOptions } from './train-options.ts';

/** Share of the training images set apart for validation: the last 6,000 of MNIST, the last 5,000 of CIFAR-10. */
const VALIDATION_SHARE = 0.1;

type DataRequest = Pick<TrainCommandOptions, 'dataset' | 'dataDir' | 'offline'>;

interface Surroundings {
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  /** Shows a bar while a file comes in. */
  readonly live: boolean;
}

/** The data set that was asked for, with its validation part; says so where another stands in for it. */
export async function loadData(request: DataRequest, surroundings: Surroundings): Promise<SplitDataset> {
  const { signal, print } = surroundings;
  const bars = downloadBars(surroundings);
  const { dataDir, offline } = request;
  try {
    const { dataset, notice } = await loadDataset(request.dataset, {
      dataDir,
      offline,
      signal,
      onProgress: bars.show,
    });
    bars.stop();
    if (notice) print(notice);
    return splitValidation(dataset, Math.max(1, Math.round(VALIDATION_SHARE * dataset.train.count)));
  } finally {
    bars.stop();
  }
}

/** One bar for each file that is downloaded, or one line where bars cannot be drawn. */
function downloadBars({ live, print }: Surroundings): {
  show: (progress: DownloadProgress) => void;
  stop: () => void;
} {
  let bar: SingleBar | undefined;
  let file: string | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const begin = ({ totalBytes }: DownloadProgress): void => {
    stop();
    if (!live) return print(`Downloading ${file}, ${prettyBytes(totalBytes)} ...`);
    const format = `  ${file}  {bar}  {percentage} %  {received} of {all}  {eta} s left`;
    bar = new SingleBar({ format, gracefulExit: false });
    bar.start(totalBytes, 0, { received: '0 B', all: prettyBytes(totalBytes) });
  };
  const show = (progress: DownloadProgress): void => {
    const isNew = progress.file !== file;
    file = progress.file;
    if (isNew) begin(progress);
    bar?.update(progress.receivedBytes, { received: prettyBytes(progress.receivedBytes) });
  };
  return { show, stop };
}
