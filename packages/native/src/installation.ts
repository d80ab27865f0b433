import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** `cpu` is @tensorflow/tfjs-node, `gpu` @tensorflow/tfjs-node-gpu. */
export type Variant = 'cpu' | 'gpu';

/** Where a TensorFlow came from: the packages' own download, a wheel fetched by pip, or a folder of the user. */
export type Origin = 'official' | 'pip' | 'directory';

/** What is kept about a finished setup. */
export type InstallationRecord = {
  schema: 'batchwise.native/1';
  /** Name of the folder, beside the record. */
  folder: string;
  /** Version of TensorFlow, as it says itself. */
  tensorflow: string;
  origin: Origin;
  /** Only where a folder of the user was taken. */
  directory?: string;
  /** SHA-256 of each wheel, by name and version. */
  wheels?: Record<string, string>;
};

/** A finished setup, with the places to load from. */
export interface NativeLocation extends Readonly<InstallationRecord> {
  readonly variant: Variant;
  /** The file to import: TensorFlow.js for Node with its TensorFlow. */
  readonly entry: string;
  /** The addon of {@link allocatorStatistics}; missing where it could not be built. */
  readonly allocatorAddon?: string;
}

export const PACKAGES: Readonly<Record<Variant, string>> = {
  cpu: '@tensorflow/tfjs-node',
  gpu: '@tensorflow/tfjs-node-gpu',
};

export const packageFolder = (folder: string, variant: Variant): string =>
  join(folder, 'node_modules', PACKAGES[variant]);

export const entryIn = (folder: string, variant: Variant): string =>
  join(packageFolder(folder, variant), 'dist', 'index.js');

export const allocatorAddonIn = (folder: string): string => join(folder, 'allocator_statistics.node');

/** Says, in a folder that is being filled, which process fills it. */
const OWNER = 'setup.pid';

const rootOf = (cacheDir: string): string => join(cacheDir, 'native');
const recordOf = (cacheDir: string, variant: Variant): string => join(rootOf(cacheDir), `${variant}.json`);

/**
 * Where a setup that was finished can be loaded from; undefined where there is none.
 * @param cacheDir the folder that was given to `setupNative`
 */
export function nativeLocation(cacheDir: string, variant: Variant): NativeLocation | undefined {
  const record = readRecord(recordOf(cacheDir, variant));
  if (record === undefined) return undefined;
  const folder = join(rootOf(cacheDir), record.folder);
  const entry = entryIn(folder, variant);
  if (!existsSync(entry)) return undefined;
  const allocatorAddon = allocatorAddonIn(folder);
  return { ...record, variant, entry, ...(existsSync(allocatorAddon) && { allocatorAddon }) };
}

/** What is kept about a setup that failed. */
type FailureRecord = { schema: 'batchwise.native-failure/1'; reason: string };

const failureOf = (cacheDir: string, variant: Variant): string =>
  join(rootOf(cacheDir), `${variant}.failed.json`);

/**
 * Why the last setup failed; undefined where none did since one worked. One that was interrupted has not failed.
 * @param cacheDir the folder that was given to `setupNative`
 */
export function nativeFailure(cacheDir: string, variant: Variant): string | undefined {
  return readJson<FailureRecord>(failureOf(cacheDir, variant), 'batchwise.native-failure/1')?.reason;
}

/** Keeps why a setup failed. Where nothing can be written it is not kept, and that is no failure of its own. */
export async function rememberFailure(cacheDir: string, variant: Variant, reason: string): Promise<void> {
  const record: FailureRecord = { schema: 'batchwise.native-failure/1', reason };
  const file = failureOf(cacheDir, variant);
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(rootOf(cacheDir), { recursive: true });
    await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`);
    await rename(draft, file);
  } catch {
    await rm(draft, { force: true });
  }
}

const readRecord = (path: string): InstallationRecord | undefined =>
  readJson<InstallationRecord>(path, 'batchwise.native/1');

function readJson<T extends { schema: string }>(path: string, schema: T['schema']): T | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as T;
    return record.schema === schema ? record : undefined;
  } catch {
    return undefined; // Not there, or cut short: as if there was nothing.
  }
}

/** Makes a folder for a new setup, beside the finished one. */
export async function beginInstallation(cacheDir: string, variant: Variant): Promise<string> {
  await mkdir(rootOf(cacheDir), { recursive: true });
  const folder = await mkdtemp(join(rootOf(cacheDir), `${variant}-`));
  await writeFile(join(folder, OWNER), String(process.pid));
  return folder;
}

/**
 * Makes a filled folder the one that is loaded from now on. The record is replaced by one rename, so that a reader sees
 * the setup from before or the new one, whole.
 */
export async function finishInstallation(
  cacheDir: string,
  variant: Variant,
  built: { readonly folder: string; readonly record: Omit<InstallationRecord, 'schema' | 'folder'> },
): Promise<void> {
  const record: InstallationRecord = {
    schema: 'batchwise.native/1',
    folder: basename(built.folder),
    ...built.record,
  };
  const draft = join(built.folder, 'record.json');
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`);
  await rename(draft, recordOf(cacheDir, variant));
  await rm(join(built.folder, OWNER), { force: true });
  await rm(failureOf(cacheDir, variant), { force: true });
  await removeLeftovers(cacheDir, variant);
}

/** Removes what setups left that were killed or replaced; a setup that is running in another process keeps its folder. */
export async function removeLeftovers(cacheDir: string, variant: Variant): Promise<void> {
  const root = rootOf(cacheDir);
  const kept = readRecord(recordOf(cacheDir, variant))?.folder;
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(`${variant}-`) || name === kept) continue;
    const owner = Number(await readFile(join(root, name, OWNER), 'utf8').catch(() => ''));
    if (!isRunningElsewhere(owner))
      await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

function isRunningElsewhere(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
