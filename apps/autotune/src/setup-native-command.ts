import { cacheDirectory } from '@batchwise/data';
import { setupNative, type NativeLocation } from '@batchwise/native';
import { row } from './format.ts';
import { watchInterrupt } from './interrupt.ts';
import type { SetupNativeOptions } from './setup-native-options.ts';
import { setupView } from './setup-native-view.ts';

/** `batchwise setup-native`: what is missing for native training, with its progress in view. */
export async function runSetupNative(options: SetupNativeOptions): Promise<void> {
  const interrupt = watchInterrupt();
  const view = setupView({ live: process.stdout.isTTY, print: (line) => console.log(line) });
  try {
    const { location, wasThere } = await setupNative({
      ...options,
      cacheDir: cacheDirectory(),
      signal: interrupt.signal,
      onProgress: view.show,
      onNotice: view.notice,
    });
    view.stop();
    console.log(wasThere ? 'Native TensorFlow is already set up.' : 'Native TensorFlow is set up.');
    console.log(describe(location));
  } catch (error) {
    view.stop();
    if (error !== interrupt.signal.reason) throw error;
    console.log('Interrupted. What was there before is as it was.');
    process.exitCode = 130;
  } finally {
    interrupt.close();
  }
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
