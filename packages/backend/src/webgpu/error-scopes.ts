import type { GpuDevice, GpuErrorFilter } from './gpu.ts';

/** The most telling kind first: what ran out of memory fails validation afterwards. */
const KINDS: readonly (readonly [GpuErrorFilter, string])[] = [
  ['out-of-memory', 'GPUOutOfMemoryError'],
  ['internal', 'GPUInternalError'],
  ['validation', 'GPUValidationError'],
];

/** An error that WebGPU reported to a scope; the name is the one that WebGPU has for its kind. */
export class GpuFailure extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Catches what WebGPU reports from now until `close`, which must be called in the same turn. */
export function openErrorScopes(device: GpuDevice): { close(): Promise<GpuFailure | undefined> } {
  for (const [filter] of KINDS) device.pushErrorScope(filter);
  return {
    async close() {
      // The last scope that was opened is the first to be closed.
      const found = KINDS.toReversed().map(([, name]) => ({ name, error: device.popErrorScope() }));
      const failures = await Promise.all(
        // A lost device answers no more; that it is lost is seen elsewhere.
        found.map(async ({ name, error }) => ({ name, error: await error.catch(() => null) })),
      );
      const worst = failures.findLast(({ error }) => error !== null);
      return worst?.error ? new GpuFailure(worst.name, worst.error.message) : undefined;
    },
  };
}
