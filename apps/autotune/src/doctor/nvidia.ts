import { execFile } from 'node:child_process';

/** A GPU as NVIDIA's driver sees it. */
export interface NvidiaGpu {
  readonly name: string;
  readonly driver: string;
  /** null where the driver does not tell. */
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
}

/** The GPUs, or why there are none. */
export interface NvidiaGpus {
  readonly gpus: readonly NvidiaGpu[];
  readonly problem: string | null;
}

const MEBIBYTE = 2 ** 20;
const FIELDS = 'name,driver_version,memory.total,memory.free';
/** A driver in trouble makes nvidia-smi wait without end. */
const LIMIT_MS = 15_000;

/** Asks nvidia-smi, which needs no other tool (`lspci` is missing in most containers), without blocking. */
export function nvidiaGpus(signal: AbortSignal, program = 'nvidia-smi'): Promise<NvidiaGpus> {
  const args = [`--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits'];
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', signal }, (error, stdout, stderr) => {
      if (signal.aborted) return reject(signal.reason as Error);
      resolve(error ? { gpus: [], problem: problemOf(error, stdout + stderr) } : parseNvidiaSmi(stdout));
    });
  });
}

function problemOf(error: Error & { code?: unknown; killed?: boolean }, output: string): string {
  if (error.code === 'ENOENT') return 'nvidia-smi is not there';
  if (error.killed) return `nvidia-smi said nothing for ${LIMIT_MS / 1000} s`;
  return `nvidia-smi: ${output.trim().split('\n')[0] || error.message}`;
}

/** Reads `name, driver, MiB, MiB` per line; a field that a driver does not tell is in brackets. */
export function parseNvidiaSmi(text: string): NvidiaGpus {
  const bytes = (field: string | undefined): number | null => {
    const mebibytes = Number(field);
    return field && Number.isFinite(mebibytes) ? mebibytes * MEBIBYTE : null;
  };
  const gpus = text.split('\n').flatMap((line): NvidiaGpu[] => {
    // A name may hold a comma; what follows it does not.
    const fields = line.split(',').map((field) => field.trim());
    const [driver, total, free] = fields.slice(-3);
    const name = fields.slice(0, -3).join(', ');
    return name && driver ? [{ name, driver, totalBytes: bytes(total), freeBytes: bytes(free) }] : [];
  });
  return gpus.length > 0 ? { gpus, problem: null } : { gpus, problem: 'nvidia-smi lists no GPU' };
}
