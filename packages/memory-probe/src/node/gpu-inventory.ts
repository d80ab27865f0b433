import { nvidiaMemory, type NvidiaReading } from './nvidia.ts';

/** A graphics processor of this machine. */
export type GpuDescription = {
  readonly vendor: string | null;
  readonly model: string;
  readonly memoryBytes: number | null;
  /** Who says so. */
  readonly source: 'nvidia-smi' | 'systeminformation';
};

/** The part of `graphics()` of systeminformation that is read; its sizes are in MiB. */
export interface Graphics {
  readonly controllers: readonly {
    readonly vendor?: string;
    readonly model?: string;
    readonly vram?: number | null;
    readonly memoryTotal?: number;
  }[];
}

/** Where the inventory comes from; tests hand in others. */
export interface InventorySources {
  readonly graphics?: () => Promise<Graphics>;
  readonly nvidia?: () => Promise<NvidiaReading>;
}

const MIB = 1024 ** 2;

/** The optional package; without it, or without its lspci, what NVIDIA's driver says is all there is. */
const installedGraphics = async (): Promise<Graphics> => {
  const { default: systeminformation } = await import('systeminformation');
  return systeminformation.graphics();
};

/**
 * The GPUs of this machine: those of NVIDIA by `nvidia-smi`, the others by the optional package systeminformation, which
 * on Linux finds none without `lspci`. Memory is that on the card; a GPU that shares the host's has none of its own.
 */
export async function gpuInventory({
  graphics = installedGraphics,
  nvidia = nvidiaMemory,
}: InventorySources = {}): Promise<readonly GpuDescription[]> {
  const [listed, own] = await Promise.all([
    graphics().catch((): Graphics => ({ controllers: [] })),
    nvidia(),
  ]);
  const byDriver = own.kind === 'gpus' ? own.gpus : [];
  const others = listed.controllers.filter(
    ({ vendor = '', model = '' }) => byDriver.length === 0 || !/nvidia/i.test(`${vendor} ${model}`),
  );
  return [
    ...byDriver.map(({ name, totalBytes }) => ({
      vendor: 'NVIDIA',
      model: name,
      memoryBytes: totalBytes,
      source: 'nvidia-smi' as const,
    })),
    ...others.map(({ vendor, model, vram, memoryTotal }) => ({
      vendor: vendor || null,
      model: model || 'unnamed',
      memoryBytes: MIB * (memoryTotal ?? vram ?? 0) || null,
      source: 'systeminformation' as const,
    })),
  ];
}
