// @ts-check
// Packs what a bare Linux machine with an NVIDIA GPU and no network needs to be checked: this Node, the built packages,
// Dawn, vitest for the contract suite and the native runtime, in parts of 60 MB. There, `sh run.sh` does the rest.
//   node tools/gpu-check.mjs [--out DIR] [--native gpu|cpu|none] [--no-cuda]
// --native is gpu where `batchwise setup-native --gpu` has run, else cpu where `setup-native` has; --no-cuda leaves gpu out.
import { execFileSync } from 'node:child_process';
import { cpSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run } from './child-process.mjs';
import { isMain } from './is-main.mjs';
import { packArchive, writeChecksums, writeParts } from './gpu-check/parts.mjs';
import { PACKED, copyPackages, neededPackages } from './gpu-check/packed-files.mjs';
import { readManifest } from './workspaces.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What runs before anything is unpacked. */
const TOOLS = [
  'child-process.mjs',
  'is-main.mjs',
  'gpu-check/run.mjs',
  'gpu-check/steps.mjs',
  'gpu-check/parts.mjs',
];
const BENCH = ['step-time-engine.mjs', 'step-time-models.mjs', 'loop-arm.mjs'];

/**
 * @typedef {object} PackOptions
 * @property {string} out
 * @property {'gpu' | 'cpu' | 'none' | undefined} native  undefined: the best that is set up.
 * @property {boolean} noCuda
 */

/**
 * @param {readonly string[]} args
 * @returns {PackOptions}
 * @throws {RangeError} For options that do not go together or are not known.
 */
export function packOptions(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string', default: join(root, 'dist', 'gpu-check') },
      native: { type: 'string' },
      'no-cuda': { type: 'boolean', default: false },
    },
  });
  const { out, native, 'no-cuda': noCuda } = values;
  if (native !== undefined && native !== 'gpu' && native !== 'cpu' && native !== 'none')
    throw new RangeError(`--native is ${native}; give gpu, cpu or none.`);
  if (native === 'gpu' && noCuda) throw new RangeError('--native gpu and --no-cuda do not go together.');
  return { out: resolve(out), native, noCuda };
}

/**
 * An empty folder; one that is not a pack is left alone.
 * @param {string} out
 */
function makeOut(out) {
  if (existsSync(out) && readdirSync(out).length > 0) {
    if (!existsSync(join(out, 'pack.json')))
      throw new Error(`${out} is not empty, and not a pack: give another --out.`);
    rmSync(out, { recursive: true });
  }
  mkdirSync(out, { recursive: true });
}

/**
 * The runtime to be packed, and its place; undefined where there is none.
 * @param {Pick<PackOptions, 'native' | 'noCuda'>} options
 */
async function nativeRuntime({ native, noCuda }) {
  if (native === 'none') return undefined;
  const { cacheDirectory } = await import('@batchwise/data');
  const { nativeLocation } = await import('@batchwise/native');
  const wanted = native === undefined ? /** @type {const} */ (['gpu', 'cpu']) : [native];
  for (const variant of wanted.filter((candidate) => candidate !== 'gpu' || !noCuda)) {
    const location = nativeLocation(cacheDirectory(), variant);
    if (location === undefined) continue;
    return { variant, from: join(cacheDirectory(), 'native'), names: [`${variant}.json`, location.folder] };
  }
  if (native === undefined) return undefined;
  const gpu = native === 'gpu' ? ' --gpu' : '';
  throw new Error(`There is no native runtime to pack: run "npx batchwise setup-native${gpu}" first.`);
}

/**
 * The packages with the contract suite and the benchmark, as they lie on the other machine.
 * @param {string} out
 */
async function packApp(out) {
  const app = mkdtempSync(join(tmpdir(), 'batchwise-gpu-check-'));
  try {
    copyPackages(root, neededPackages(root, PACKED), app);
    for (const file of BENCH) cpSync(join(root, 'bench', file), join(app, 'bench', file));
    cpSync(join(root, 'tools', 'gpu-check', 'backend.test.mjs'), join(app, 'backend.test.mjs'));
    await writeFile(join(app, 'package.json'), '{ "private": true, "type": "module" }\n');
    return await packArchive({ from: app, names: readdirSync(app) }, { folder: out, name: 'app' });
  } finally {
    rmSync(app, { recursive: true });
  }
}

/** The commit that is packed, with a mark where files differ from it. */
function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40'], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  } catch {
    return null; // Not a clone.
  }
}

/** Brings all builds up to date: those of yesterday's sources would be measured otherwise. */
async function build() {
  const command = { program: process.execPath, args: [join(root, 'tools', 'bootstrap.mjs'), '--build-only'] };
  const { exitCode } = await run(command, { cwd: root, inherit: true });
  if (exitCode !== 0) throw new Error('The packages could not be built.');
}

/**
 * Writes the pack.
 * @param {PackOptions} options
 */
export async function pack({ out, ...options }) {
  const runtime = await nativeRuntime(options);
  makeOut(out);
  /** @type {Record<string, { readonly bytes: number, readonly parts: number }>} */
  const archives = {};
  /** @type {import('./gpu-check/parts.mjs').Part[]} */
  const all = [];
  /** @param {string} name @param {ReturnType<typeof writeParts>} writing */
  const add = async (name, writing) => {
    const { parts, bytes } = await writing;
    all.push(...parts);
    archives[name] = { bytes, parts: parts.length };
    console.log(`gpu-check: ${name}: ${(bytes / 1e6).toFixed(1)} MB in ${parts.length} parts`);
  };
  await add('node', writeParts(createReadStream(process.execPath), { folder: out, name: 'node' }));
  await add('app', packApp(out));
  if (runtime)
    await add(
      `native-${runtime.variant}`,
      packArchive(runtime, { folder: out, name: `native-${runtime.variant}` }),
    );
  else console.log('gpu-check: no native runtime (npx batchwise setup-native --gpu), so WebGPU only');
  await writeChecksums(out, all);
  for (const file of TOOLS) {
    mkdirSync(dirname(join(out, 'tools', file)), { recursive: true });
    cpSync(join(root, 'tools', file), join(out, 'tools', file));
  }
  cpSync(join(root, 'tools', 'gpu-check', 'run.sh'), join(out, 'run.sh'));
  const about = {
    schema: 'batchwise.gpu-pack/1',
    version: readManifest(root).version,
    commit: commit(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    archives,
  };
  await writeFile(join(out, 'pack.json'), `${JSON.stringify(about, null, 2)}\n`);
  console.log(`gpu-check: written to ${out}; copy it to the machine and run "sh run.sh" there`);
}

if (isMain(import.meta.url)) {
  try {
    if (process.platform !== 'linux') throw new Error(`The pack is for Linux; this is ${process.platform}.`);
    const options = packOptions(process.argv.slice(2));
    await build();
    await pack(options);
  } catch (error) {
    console.error(`gpu-check: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
