import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES, readCifar10Batches } from '../src/cifar10.ts';
import { publishedCifar10, readCifar10Directory } from '../src/published-cifar10.ts';
import { CIFAR10_IS_MISSING, DATA_DIR, skippedWithout } from './support/real-data.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { writeFiles } from './support/tiny-mnist.ts';

/** A record whose red, green and blue planes hold `value`, `value + 1`, `value + 2`, but for the last pixel: 200, 201, 202. */
function record(label: number, value: number): Uint8Array {
  const bytes = new Uint8Array(3073);
  bytes[0] = label;
  for (let plane = 0; plane < 3; plane++) {
    bytes.fill(value + plane, 1 + 1024 * plane, 1 + 1024 * (plane + 1));
    bytes[1024 * (plane + 1)] = 200 + plane;
  }
  return bytes;
}

const batch = (...records: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(records));

/** The six files, each with one record whose label and value tell the file. */
const SIX_FILES = new Map(
  [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE].map((name, file) => [name, record(file, 10 * file)]),
);

async function archiveOf(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const archive = pack();
  archive.entry({ name: 'cifar-10-batches-bin/readme.html' }, 'read me');
  // last file first: the order in the archive must not matter
  for (const [name, bytes] of [...files].reverse())
    archive.entry({ name: `cifar-10-batches-bin/${name}` }, Buffer.from(bytes));
  archive.finalize();
  return gzipSync(await buffer(archive));
}

describe('readCifar10Batches', () => {
  it('turns planes into interleaved channels, file after file', () => {
    const files = [
      { file: 'a', bytes: batch(record(3, 10), record(9, 20)) },
      { file: 'b', bytes: batch(record(0, 30), record(1, 40)) },
    ];
    const { images, labels, count } = readCifar10Batches(files, 2);
    expect(count).toBe(4);
    expect([...labels]).toEqual([3, 9, 0, 1]);
    expect(images.length).toBe(4 * 3072);
    expect([...images.subarray(0, 6)]).toEqual([10, 11, 12, 10, 11, 12]);
    expect([...images.subarray(3069, 3075)]).toEqual([200, 201, 202, 20, 21, 22]);
    expect([...images.subarray(3 * 3072, 3 * 3072 + 3)]).toEqual([40, 41, 42]);
  });

  it.each([
    ['a cut file', batch(record(1, 1)).subarray(0, 3000), 'f has 3000 bytes, which is no multiple of 3073'],
    ['a missing record', record(1, 1), 'f has 3073 bytes: 1 records, not 2'],
    [
      'a wrong label',
      batch(record(1, 1), record(10, 1)),
      'f: the label of record 1 is 10; labels are 0 to 9',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readCifar10Batches([{ file: 'f', bytes }], 2)).toThrow(message);
  });

  it('expects 10,000 records where nothing else is said', () => {
    expect(() => readCifar10Batches([{ file: 'f', bytes: record(1, 1) }])).toThrow('1 records, not 10000');
  });
});

describe('readCifar10Directory', () => {
  it.each(['', 'cifar-10-batches-bin', 'cifar10', 'cifar10/cifar-10-batches-bin'])(
    'finds the files in the folder "%s"',
    async (inside) => {
      const folder = await temporaryFolder();
      await writeFiles(join(folder, inside), SIX_FILES);
      const { train, test, imageShape } = await readCifar10Directory(folder, 1);
      expect(imageShape).toEqual([32, 32, 3]);
      expect([...train.labels]).toEqual([0, 1, 2, 3, 4]);
      expect([...test.labels]).toEqual([5]);
      expect([...test.images.subarray(0, 3)]).toEqual([50, 51, 52]);
    },
  );

  it.each(['', 'cifar10'])('unpacks the archive in the folder "%s"', async (inside) => {
    const folder = await temporaryFolder();
    const archive = await archiveOf(SIX_FILES);
    await writeFiles(join(folder, inside), new Map([['cifar-10-binary.tar.gz', archive]]));
    const { train, test } = await readCifar10Directory(folder, 1);
    expect([...train.labels, ...test.labels]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('says which files are missing from a folder and from an archive', async () => {
    const some = new Map([...SIX_FILES].filter(([name]) => !/[24]\.bin/.test(name)));
    const folder = await temporaryFolder();
    await writeFiles(folder, some);
    await expect(readCifar10Directory(folder, 1)).rejects.toThrow(
      `${folder} lacks data_batch_2.bin, data_batch_4.bin; none of cifar-10-binary.tar.gz is in ${folder}`,
    );
    const other = await temporaryFolder();
    await writeFiles(other, new Map([['cifar-10-binary.tar.gz', await archiveOf(some)]]));
    await expect(readCifar10Directory(other, 1)).rejects.toThrow(
      'the archive lacks data_batch_2.bin, data_batch_4.bin',
    );
  });

  it('says that an archive is damaged', async () => {
    const folder = await temporaryFolder();
    const archive = await archiveOf(SIX_FILES);
    const half = archive.subarray(0, archive.length / 2);
    await writeFiles(folder, new Map([['cifar-10-binary.tar.gz', half]]));
    await expect(readCifar10Directory(folder, 1)).rejects.toThrow('the archive is damaged');
  });
});

describe('publishedCifar10', () => {
  it('reads what its archive holds, and insists on the published size', async () => {
    const archive = { file: 'x.tar.gz', bytes: await archiveOf(SIX_FILES) };
    await expect(publishedCifar10.fromContents([archive])).rejects.toThrow(
      'x.tar.gz: data_batch_1.bin has 3073 bytes: 1 records, not 10000',
    );
  });
});

describe.skipIf(CIFAR10_IS_MISSING)(
  `the real CIFAR-10${skippedWithout('cifar10', CIFAR10_IS_MISSING)}`,
  () => {
    it('has its well-known numbers', async () => {
      const { train, test } = await readCifar10Directory(DATA_DIR);
      expect([train.count, test.count]).toEqual([50_000, 10_000]);
      const sums = [0, 0, 0];
      for (let at = 0; at < train.images.length; at++)
        sums[at % 3] = (sums[at % 3] ?? 0) + (train.images[at] ?? 0);
      const [red = 0, green = 0, blue = 0] = sums.map((sum) => sum / 255 / 50_000 / 1024);
      // the means that everybody normalises with; files made from JPEG copies differ a little
      expect(Math.abs(red - 0.4914)).toBeLessThan(0.002);
      expect(Math.abs(green - 0.4822)).toBeLessThan(0.002);
      expect(Math.abs(blue - 0.4465)).toBeLessThan(0.002);
      const perClass = Array.from(
        { length: 10 },
        (_, label) => train.labels.filter((one) => one === label).length,
      );
      expect(perClass).toEqual(Array.from({ length: 10 }, () => 5000));
    });
  },
);
