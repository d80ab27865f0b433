import { InvalidArgumentError, Option, type Command } from 'commander';

/** The options of `batchwise setup-native`, checked. */
export interface SetupNativeOptions {
  readonly gpu?: boolean;
  readonly tensorflow?: string;
  readonly from?: string;
  /** Only where it was never tried; a failure is no error. */
  readonly once?: boolean;
}

function version(text: string): string {
  if (!/^\d+\.\d+\.\d+$/.test(text))
    throw new InvalidArgumentError('Give a version in three parts, such as 2.21.0.');
  return text;
}

const HELP = `
It goes into the cache (BATCHWISE_CACHE_DIR, or the user's cache folder) and nowhere else; \`train --backend auto\` then uses
it. Ways are tried in turn: the packages' own download; then TensorFlow's Python wheel, fetched with your pip, and an addon
built from the package's sources, which needs a C++ compiler, make, and Python with pip (Linux).

Examples:
  batchwise setup-native
  batchwise setup-native --gpu                          with NVIDIA's runtime libraries, several GB
  batchwise setup-native --from /opt/tensorflow         a folder with lib and include
  batchwise setup-native --from "$(python3 -c 'import tensorflow, os; print(os.path.dirname(tensorflow.__file__))')"`;

/** Declares `batchwise setup-native`. */
export function addSetupNativeCommand(
  program: Command,
  run: (options: SetupNativeOptions) => Promise<void>,
): void {
  program
    .command('setup-native')
    .description('give TensorFlow.js for Node a working TensorFlow, the fastest engine to train on')
    .option('--gpu', 'TensorFlow with CUDA, for an NVIDIA GPU')
    .option(
      '--tensorflow <version>',
      'a version of TensorFlow (default: 2.9.1 official, 2.21.0 by pip)',
      version,
    )
    .option('--from <where>', 'one way only: official, pip, or the folder of an installed TensorFlow')
    .addOption(
      new Option(
        '--once',
        'only if it was never tried and all it needs is here; a failure is told and remembered, and is no error',
      ).conflicts(['from', 'tensorflow']),
    )
    .addHelpText('after', HELP)
    .action((options: SetupNativeOptions) => run(options));
}
