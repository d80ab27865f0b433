import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { downloadFile, type DownloadOptions, type DownloadProgress } from '../src/download.ts';
import { writeIdx } from '../src/idx.ts';
import { localServer, served, type LocalServer } from './support/local-server.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { knownFile } from './support/tiny-mnist.ts';

/** 200,000 elements of no pattern, so that the file stays large in gzip. */
const CONTENT = writeIdx({
  shape: [200, 1000],
  data: Uint8Array.from({ length: 200_000 }, (_, at) => (at * at * 31 + (at >> 3)) % 251),
});
const STORED = new Uint8Array(gzipSync(CONTENT));
const SIZE = STORED.length;
const FILE = knownFile('images.gz', CONTENT);
const HALF = Math.floor(SIZE / 2);
const QUARTER = Math.floor(SIZE / 4);

/** Downloads into a new folder, or on top of `part`. */
async function download(options: DownloadOptions, part?: Uint8Array) {
  const destination = join(await temporaryFolder(), 'deep', 'images.gz');
  if (part !== undefined) {
    await mkdir(dirname(destination), { recursive: true });
    await writeFile(`${destination}.part`, part);
  }
  return { destination, running: downloadFile(FILE, destination, options) };
}

/** Breaks the connections of a server that holds after `bytes`, once they have been stored. */
const cutAt = (server: () => LocalServer, bytes: number) => (progress: DownloadProgress) => {
  if (progress.receivedBytes === bytes) server().cut();
};

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

describe('downloadFile', () => {
  it('stores a file under its name and returns its content', async () => {
    const server = await localServer((asked) => served(STORED, asked));
    const progress: DownloadProgress[] = [];
    const onProgress = (step: DownloadProgress) => progress.push(step);
    const { destination, running } = await download({ mirrors: [server.url], onProgress });
    const { content, host } = await running;
    expect(Buffer.compare(content, CONTENT)).toBe(0);
    expect(host).toBe(server.host);
    expect(Buffer.compare(await readFile(destination), STORED)).toBe(0);
    expect(existsSync(`${destination}.part`)).toBe(false);
    expect(server.asked).toEqual([{ file: 'images.gz', from: undefined }]);
    expect(progress.at(-1)).toEqual({ file: 'images.gz', receivedBytes: SIZE, totalBytes: SIZE });
    expect(progress.every((step, at) => step.receivedBytes > (progress[at - 1]?.receivedBytes ?? 0))).toBe(
      true,
    );
  });

  it('goes on after a broken connection, and asks for no byte twice', async () => {
    const server = await localServer((asked) => ({
      ...served(STORED, asked),
      ...(asked.from === undefined ? { holdAfter: HALF } : {}),
    }));
    const received: number[] = [];
    const onProgress = (progress: DownloadProgress) => {
      received.push(progress.receivedBytes);
      cutAt(() => server, HALF)(progress);
    };
    const { running } = await download({ mirrors: [server.url], onProgress });
    expect(Buffer.compare((await running).content, CONTENT)).toBe(0);
    expect(server.asked.map(({ from }) => from)).toEqual([undefined, HALF]);
    expect(server.sent).toEqual([HALF, SIZE - HALF]);
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(received.at(-1)).toBe(SIZE);
  });

  it('starts over where the server sends everything again', async () => {
    const server = await localServer(({ file }) => ({
      ...served(STORED, { file, from: undefined }),
      ...(server.asked.length === 1 ? { holdAfter: HALF } : {}),
    }));
    const { running } = await download({ mirrors: [server.url], onProgress: cutAt(() => server, HALF) });
    expect(Buffer.compare((await running).content, CONTENT)).toBe(0);
    expect(server.asked.map(({ from }) => from)).toEqual([undefined, HALF]);
    expect(server.sent).toEqual([HALF, SIZE]);
  });

  it('goes on from what an earlier run left, also from another mirror', async () => {
    const server = await localServer((asked) => served(STORED, asked));
    const gone = await localServer(() => ({ status: 503 }));
    const { running } = await download({ mirrors: [gone.url, server.url] }, STORED.subarray(0, 1000));
    expect((await running).host).toBe(server.host);
    expect(server.sent).toEqual([SIZE - 1000]);
  });

  it('needs no byte more where the earlier run left all of them', async () => {
    const server = await localServer((asked) => served(STORED, asked));
    const { running } = await download({ mirrors: [server.url] }, STORED);
    expect(Buffer.compare((await running).content, CONTENT)).toBe(0);
    expect(server.sent).toEqual([0]);
  });

  it.each([
    ['too long', Uint8Array.from([...STORED, 1, 2, 3]), [0, SIZE]],
    ['the beginning of something else', new Uint8Array(1000).fill(7), [SIZE - 1000, SIZE]],
  ])('starts over where what was left is %s', async (_, part, sent) => {
    const server = await localServer((asked) => served(STORED, asked));
    const { running } = await download({ mirrors: [server.url] }, part);
    expect(Buffer.compare((await running).content, CONTENT)).toBe(0);
    expect(server.sent).toEqual(sent);
  });

  it('starts over where a range comes back that was not asked for', async () => {
    const server = await localServer((asked) =>
      asked.from === undefined
        ? served(STORED, asked)
        : { status: 206, headers: { 'content-range': `bytes 0-${SIZE - 1}/${SIZE}` }, body: STORED },
    );
    const { running } = await download({ mirrors: [server.url] }, STORED.subarray(0, 1000));
    expect(Buffer.compare((await running).content, CONTENT)).toBe(0);
    expect(server.asked.map(({ from }) => from)).toEqual([1000, undefined]);
  });

  it('tries the next mirror after a wrong checksum, and leaves nothing behind', async () => {
    const corrupt = STORED.slice();
    corrupt[HALF] = (corrupt[HALF] ?? 0) ^ 1;
    const other = new Uint8Array(gzipSync(CONTENT.map((byte, at) => (at === 5000 ? byte ^ 1 : byte))));
    const damaged = await localServer((asked) => served(corrupt, asked));
    const swapped = await localServer((asked) => served(other, asked));
    const good = await localServer((asked) => served(STORED, asked));
    const fine = await download({ mirrors: [damaged.url, swapped.url, good.url] });
    expect((await fine.running).host).toBe(good.host);

    const { destination, running } = await download({ mirrors: [swapped.url] });
    await expect(running).rejects.toThrow(
      new RegExp(`^${swapped.host}: images.gz: SHA-256 is [0-9a-f]{64}, expected ${FILE.sha256}`),
    );
    expect(existsSync(destination)).toBe(false);
    expect(existsSync(`${destination}.part`)).toBe(false);
  });

  it('says of each mirror why it was of no use', async () => {
    const lost = await localServer((asked) => served(undefined, asked));
    const dead = 'http://127.0.0.1:1/files';
    const { running } = await download({ mirrors: [lost.url, dead] });
    await expect(running).rejects.toMatchObject({
      code: 'downloadFailed',
      message: expect.stringContaining(`${lost.host}: HTTP 404 Not Found; 127.0.0.1:1: `),
    });
    await expect((await download({ mirrors: [] })).running).rejects.toThrow('there is no mirror to ask');
  });

  it('passes over a mirror that is no web address, and names it', async () => {
    const server = await localServer((asked) => served(STORED, asked));
    const { running } = await download({ mirrors: ['my-mirror/mnist', server.url] });
    expect((await running).host).toBe(server.host);
    await expect((await download({ mirrors: ['my-mirror/mnist'] })).running).rejects.toMatchObject({
      code: 'downloadFailed',
      message: '"my-mirror/mnist" is no web address; give one such as https://example.org/folder',
    });
  });

  it('serves both of two that fill the same cache at once', async () => {
    // The second one empties what the first has half of, and the first ends while the beginning is not there again.
    const [firstAsked, secondAsked, firstHasHalf] = [gate(), gate(), gate()];
    const [secondHasQuarter, firstIsDone] = [gate(), gate()];
    const server = await localServer(async (asked) => {
      const { length } = server.asked;
      if (length === 1) {
        firstAsked.open();
        await secondAsked.opened;
        return { ...served(STORED, asked), holdAfter: HALF, release: secondHasQuarter.opened };
      }
      if (length > 2) return served(STORED, asked);
      secondAsked.open();
      await firstHasHalf.opened;
      return { ...served(STORED, asked), holdAfter: QUARTER, release: firstIsDone.opened };
    });
    const openAt =
      (bytes: number, { open }: Gate) =>
      ({ receivedBytes }: DownloadProgress) =>
        receivedBytes === bytes && open();
    const destination = join(await temporaryFolder(), 'images.gz');
    const mirrors = [server.url];
    const first = downloadFile(FILE, destination, { mirrors, onProgress: openAt(HALF, firstHasHalf) });
    await firstAsked.opened;
    const onProgress = openAt(QUARTER, secondHasQuarter);
    const second = downloadFile(FILE, destination, { mirrors, onProgress });
    expect(Buffer.compare((await first).content, CONTENT)).toBe(0);
    firstIsDone.open();
    expect(Buffer.compare((await second).content, CONTENT)).toBe(0);
    expect(server.asked.map(({ from }) => from)).toEqual([undefined, undefined, undefined]);
    expect(await readdir(dirname(destination))).toEqual(['images.gz']);
  });

  it('returns a file that is right though it cannot get its name', async () => {
    const server = await localServer((asked) => served(STORED, asked));
    const destination = join(await temporaryFolder(), 'images.gz');
    await mkdir(join(destination, 'in the way'), { recursive: true });
    const { content } = await downloadFile(FILE, destination, { mirrors: [server.url] });
    expect(Buffer.compare(content, CONTENT)).toBe(0);
    expect(server.sent).toEqual([SIZE]);
  });

  it('has no use for a part that nobody asked for', async () => {
    const server = await localServer(() => ({ status: 206, body: STORED }));
    const { running } = await download({ mirrors: [server.url] });
    await expect(running).rejects.toThrow(`${server.host}: HTTP 206 Partial Content`);
    expect(server.asked.length).toBe(1);
  });

  it('gives up a server that says nothing', async () => {
    const server = await localServer(() => ({ status: 200, silent: true }));
    const timeouts = { connectSeconds: 0.05, stallSeconds: 9 };
    const { running } = await download({ mirrors: [server.url], timeouts });
    await expect(running).rejects.toThrow(`${server.host}: no answer within 0.05 s`);
  });

  it('asks again for the rest when the data stops coming, and gives up when no more comes', async () => {
    const server = await localServer((asked) => ({
      ...served(STORED, asked),
      holdAfter: asked.from === undefined ? HALF : 0,
    }));
    const timeouts = { connectSeconds: 9, stallSeconds: 0.1 };
    const { destination, running } = await download({ mirrors: [server.url], timeouts });
    await expect(running).rejects.toThrow(`${server.host}: no `);
    expect(server.asked.map(({ from }) => from)).toEqual([undefined, HALF]);
    expect(Buffer.compare(await readFile(`${destination}.part`), STORED.subarray(0, HALF))).toBe(0);
  });

  it('stops at the signal with its reason, and keeps what it has', async () => {
    const server = await localServer((asked) => ({ ...served(STORED, asked), holdAfter: HALF }));
    const second = await localServer((asked) => served(STORED, asked));
    const abort = new AbortController();
    const reason = new Error('enough');
    const { destination, running } = await download({
      mirrors: [server.url, second.url],
      signal: abort.signal,
      onProgress: ({ receivedBytes }) => receivedBytes === HALF && abort.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expect(second.asked).toEqual([]);
    expect(Buffer.compare(await readFile(`${destination}.part`), STORED.subarray(0, HALF))).toBe(0);
    await downloadFile(FILE, destination, { mirrors: [second.url] });
    expect(second.sent).toEqual([SIZE - HALF]);
  });

  it('knows the published size where the server does not tell', async () => {
    const server = await localServer((asked) => ({
      ...served(STORED, asked),
      chunked: true,
    }));
    const totals = new Set<number>();
    const onProgress = ({ totalBytes }: DownloadProgress) => totals.add(totalBytes);
    await (
      await download({ mirrors: [server.url], onProgress })
    ).running;
    expect([...totals]).toEqual([FILE.byteLength]);
  });

  it('works through a fetch that is handed in', async () => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (url, init) => {
      asked.push(`${String(url)} ${JSON.stringify(init?.headers)}`);
      return new Response(STORED);
    };
    await (
      await download({ mirrors: ['https://mirror.example/mnist'], fetch })
    ).running;
    expect(asked).toEqual(['https://mirror.example/mnist/images.gz {"accept-encoding":"identity"}']);
  });
});
