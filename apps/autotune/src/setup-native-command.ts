import { cacheDirectory } from '@batchwise/data';
import { nativeFailure, nativeLocation, setupNative, type NativeLocation } from '@batchwise/native';
import { hanging, row, shortened } from './format.ts';
import { watchInterrupt } from './interrupt.ts';
import type { SetupNativeOptions } from './setup-native-options.ts';
import { setupView, type SetupView } from './setup-native-view.ts';

/** How long a setup may hold up somebody who has not asked for it, seconds. */
const UNATTENDED_SECONDS = 480;

/** `batchwise setup-native`: what is missing for native training, with its progress in view. */
export async function runSetupNative({ once = false, ...options }: SetupNativeOptions): Promise<void> {
  const cacheDir = cacheDirectory();
  if (once && wasTried(cacheDir, options)) return;
  const interrupt = watchInterrupt();
  const view = setupView({ live: process.stdout.isTTY, print: (line) => console.log(line) });
  try {
    const { location, wasThere } = await setupNative({
      ...options,
      cacheDir,
      signal: interrupt.signal,
      onProgress: once ? announced(view, cacheDir) : view.show,
      onNotice: view.notice,
      ...(once && { unattended: true, timeLimitSeconds: UNATTENDED_SECONDS }),
    });
    view.stop();
    console.log(wasThere ? 'Native TensorFlow is already set up.' : 'Native TensorFlow is set up.');
    console.log(describe(location));
  } catch (error) {
    view.stop();
    if (error === interrupt.signal.reason) {
      console.log('Interrupted. What was there before is as it was.');
      process.exitCode = 130;
    } else if (once) {
      const reason = error instanceof Error ? error.message : String(error);
      console.log(hanging('', `Native TensorFlow is not set up. ${reason} ${TRY_AGAIN}`));
    } else throw error;
  } finally {
    interrupt.close();
  }
}

const TRY_AGAIN = 'To try again: npx batchwise setup-native';

/** Whether there is nothing to try; where a setup failed before, one line says so. */
function wasTried(cacheDir: string, { gpu = false }: SetupNativeOptions): boolean {
  const variant = gpu ? 'gpu' : 'cpu';
  if (nativeLocation(cacheDir, variant)) return true;
  const failure = nativeFailure(cacheDir, variant);
  if (failure === undefined) return false;
  const reason = shortened(failure.replaceAll(/ \([^)]*\)/g, ''), 70);
  console.log(`Native TensorFlow is not set up: ${reason} ${TRY_AGAIN}`);
  return true;
}

/** Says once, before the first step of a setup that nobody asked for, what it costs and how to be without it. */
function announced(view: SetupView, cacheDir: string): SetupView['show'] {
  let isFirst = true;
  return (progress) => {
    if (isFirst)
      view.notice(
        [
          'Setting up native TensorFlow, the fastest engine here. This is done once: it takes about a minute,',
          `downloads 0.4 GB and keeps 1.1 GB in ${cacheDir}. Without it training runs on WebAssembly;`,
          'BATCHWISE_SETUP_NATIVE=never leaves it out.',
        ].join('\n'),
      );
    isFirst = false;
    view.show(progress);
  };
}

const ORIGINS: Readonly<Record<NativeLocation['origin'], string>> = {
  official: 'the official download',
  pip: 'the Python wheel',
  directory: 'a folder of yours',
};

function describe({ tensorflow, origin, directory, entry, allocatorAddon }: NativeLocation): string {
  return [
    row('TensorFlow', `${tensorflow}, from ${directory ?? ORIGINS[origin]}`),
    row('Package', entry),
    row('Memory', allocatorAddon ? 'TensorFlow tells what it uses' : 'TensorFlow does not tell what it uses'),
    row('', 'To remove it, delete the folder "native" in the cache.'),
  ].join('\n');
}
