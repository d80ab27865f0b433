import type { Variant } from './installation.ts';
import { findBuildTools, type Machine } from './needs.ts';
import { SetupError } from './setup-error.ts';
import { hasChecksums, TESTED_TENSORFLOW } from './wheel.ts';

/**
 * Makes sure that a setup can be expected to work, before it downloads anything that nobody has asked for.
 * @throws SetupError `missingNeed` with what is missing
 */
export async function requireProspects(machine: Machine, variant: Variant): Promise<void> {
  const { platform, arch } = machine;
  if (!hasChecksums({ variant, version: TESTED_TENSORFLOW, platform, arch }))
    throw new SetupError(
      'missingNeed',
      `It was not tried on ${platform}-${arch}, for which no TensorFlow was tested here.`,
    );
  await findBuildTools(machine, true);
}
