import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Memory of one NVIDIA GPU, in bytes; null where the driver does not tell. */
export type NvidiaMemory = {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly totalBytes: number | null;
  /** By all processes. */
  readonly usedBytes: number | null;
  readonly freeBytes: number | null;
  /** Compute processes, as far as they can be seen: in a container the ids are the host's, or none are shown. */
  readonly processes: readonly { readonly pid: number; readonly usedBytes: number | null }[];
};

/** GPUs, or why there are none. */
export type NvidiaReading =
  | { readonly kind: 'gpus'; readonly gpus: readonly NvidiaMemory[] }
  | { readonly kind: 'none'; readonly reason: string };

/** Runs a program and gives its output; tests hand in another. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<string>;

const TIMEOUT_MS = 10_000;
const MIB = 1024 ** 2;

const runProgram: RunProgram = async (program, args) => {
  const { stdout } = await promisify(execFile)(program, [...args], {
    timeout: TIMEOUT_MS,
    windowsHide: true,
  });
  return stdout;
};

/**
 * The memory of all NVIDIA GPUs by `nvidia-smi`, without blocking. A sample: short peaks are missed, and TensorFlow takes
 * nearly all memory at its start unless TF_FORCE_GPU_ALLOW_GROWTH is true, so for a training step prefer its allocator.
 */
export async function nvidiaMemory(run: RunProgram = runProgram): Promise<NvidiaReading> {
  const csv = '--format=csv,noheader,nounits';
  try {
    const [gpus, apps] = await Promise.all([
      run('nvidia-smi', ['--query-gpu=index,uuid,name,memory.total,memory.used,memory.free', csv]),
      // Drivers refuse this one alone where processes may not be seen.
      run('nvidia-smi', ['--query-compute-apps=pid,gpu_uuid,used_memory', csv]).catch(() => ''),
    ]);
    const processes = rowsOf(apps).map(([pid, uuid, used]) => ({
      pid: Number(pid),
      uuid,
      usedBytes: mebibytes(used),
    }));
    return {
      kind: 'gpus',
      gpus: rowsOf(gpus).map(([index, uuid = '', name = '', total, used, free]) => ({
        index: Number(index),
        uuid,
        name,
        totalBytes: mebibytes(total),
        usedBytes: mebibytes(used),
        freeBytes: mebibytes(free),
        processes: processes
          .filter((process) => process.uuid === uuid && Number.isInteger(process.pid))
          .map(({ pid, usedBytes }) => ({ pid, usedBytes })),
      })),
    };
  } catch (error) {
    return { kind: 'none', reason: reasonOf(error) };
  }
}

/** Rows with as many cells as a comma can make; nvidia-smi says `No devices were found` in one. */
const rowsOf = (csv: string): string[][] =>
  csv
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.length > 1);

/** `[N/A]`, `[Not Supported]` and `[Insufficient Permissions]` are no numbers. */
const mebibytes = (cell: string | undefined): number | null =>
  cell !== undefined && /^\d+(\.\d+)?$/.test(cell) ? MIB * Number(cell) : null;

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
    return 'nvidia-smi is not installed; it comes with the NVIDIA driver.';
  if (error instanceof Error && 'killed' in error && error.killed === true)
    return `nvidia-smi gave no answer within ${TIMEOUT_MS / 1000} s.`;
  return `nvidia-smi failed: ${error instanceof Error ? error.message.trim() : String(error)}`;
}
