import os from 'node:os';
import { nvidiaGpus, type NvidiaGpus } from './nvidia.ts';
import type { GraphicsCard } from './probe-messages.ts';
import type { RunProbe } from './run-probe.ts';

/** What there is to compute with. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  readonly processor: { readonly model: string; readonly cores: number };
  readonly memory: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    /** Of the container or service that this runs in; null where it sets none. */
    readonly limitBytes: number | null;
  };
  readonly graphics: readonly GraphicsCard[];
  readonly nvidia: NvidiaGpus;
}

/** Looks at this machine. */
export async function examineMachine(probe: RunProbe, signal: AbortSignal): Promise<Machine> {
  const [nvidia, graphics] = await Promise.all([nvidiaGpus(signal), probe({ task: 'graphics' })]);
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    processor: { model: os.cpus()[0]?.model.trim() ?? process.arch, cores: os.availableParallelism() },
    memory: {
      totalBytes: os.totalmem(),
      availableBytes: process.availableMemory(),
      limitBytes: memoryLimit(process.constrainedMemory(), os.totalmem()),
    },
    graphics: graphics.kind === 'graphics' ? graphics.cards : [],
    nvidia,
  };
}

/** The limit of a control group; without one the kernel says 0 or a number beyond all memory. */
export const memoryLimit = (constrained: number | undefined, total: number): number | null =>
  constrained !== undefined && constrained > 0 && constrained < total ? constrained : null;

/** What a process on the processor may use, bytes. */
export const usableMemory = ({ memory: { limitBytes, totalBytes } }: Machine): number =>
  limitBytes ?? totalBytes;
