import { fileURLToPath } from 'node:url';
import { softwareVulkan } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeFailure } from '@batchwise/native';
import { prepareDestinations, writeJson } from './destinations.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { diagnose } from './doctor/diagnose.ts';
import { childProbes } from './doctor/run-probe.ts';
import { doctorText } from './doctor/text.ts';
import { row } from './format.ts';
import { watchInterrupt } from './interrupt.ts';
import { setupView } from './setup-native-view.ts';

/** Beside the built command. */
const PROBE = fileURLToPath(new URL('./probe.js', import.meta.url));

/** `batchwise doctor`: every engine, tried. */
export async function runDoctor({ json, only, timeLimit }: DoctorOptions): Promise<void> {
  await prepareDestinations(json === undefined ? {} : { json });
  const interrupt = watchInterrupt();
  const { signal } = interrupt;
  const view = setupView({ live: process.stdout.isTTY, print: (line) => console.log(line) });
  const cacheDir = cacheDirectory();
  try {
    const record = await diagnose({
      engines: only,
      probe: childProbes({ program: PROBE, timeLimitSeconds: timeLimit, signal }),
      signal,
      onStep: (step) => view.show({ step, done: 0, unit: 'parts' }),
      softwareVulkan: softwareVulkan(),
      setupFailure: { cpu: nativeFailure(cacheDir, 'cpu'), gpu: nativeFailure(cacheDir, 'gpu') },
    });
    view.stop();
    if (json !== undefined) await writeJson(json, record);
    if (json !== undefined) console.log(row('Record', `written to ${json}`));
    console.log(`\n${doctorText(record, process.stdout.columns)}`);
    if (record.engines.some(({ works }) => works)) return;
    console.error('batchwise: no engine trains here; what is said above of each says why.');
    process.exitCode = 1;
  } catch (error) {
    view.stop();
    if (error !== signal.reason) throw error;
    console.log('Interrupted.');
    process.exitCode = 130;
  } finally {
    interrupt.close();
  }
}
