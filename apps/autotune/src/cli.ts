import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addTrainCommand } from './train-options.ts';
import { runTrain } from './train-command.ts';
import { runDoctor } from './doctor-command.ts';
import { addDoctorCommand } from './doctor-options.ts';
import { explainError } from './errors.ts';
import { runSetupNative } from './setup-native-command.ts';
import { addSetupNativeCommand } from './setup-native-options.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const program = new Command('batchwise')
  .description('Finds the batch size for a TensorFlow.js training run, and adapts it while the run goes.')
  .version(version)
  .showHelpAfterError('(--help lists the options)')
  .configureHelp({ sortOptions: false })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

addTrainCommand(program, runTrain);
addDoctorCommand(program, runDoctor);
addSetupNativeCommand(program, runSetupNative);

try {
  await program.parseAsync();
} catch (error) {
  console.error(explainError(error));
  process.exitCode = 1;
}
