import { open, rm, stat } from 'node:fs/promises';
import { DataError } from './data-error.ts';
import { SilenceTimer } from './silence-timer.ts';

/** How long a server may be silent. */
export interface DownloadTimeouts {
  /** Until it answers; short, so that a machine without a network does not wait for long. */
  readonly connectSeconds: number;
  /** Between two pieces of the content. */
  readonly stallSeconds: number;
}

/** One file from one server. */
export interface FileRequest {
  readonly url: string;
  /** Where the content goes; what lies there already is taken for its beginning. */
  readonly part: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeouts: DownloadTimeouts;
  readonly signal: AbortSignal | undefined;
  /** `totalBytes` is undefined where the server does not say. */
  readonly onBytes: (receivedBytes: number, totalBytes: number | undefined) => void;
}

/** Bytes in a file; 0 where there is none. */
export async function fileSize(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.size ?? 0;
}

/**
 * One try to complete `part`: asks only for the bytes that are missing, and starts over where the server sends all of
 * them. Whatever goes wrong, the bytes that came stay there for the next try.
 * @throws DataError `downloadFailed` for an answer that is of no use or does not come; the network's own error; the
 * reason of the signal
 */
export async function fetchFile(request: FileRequest): Promise<void> {
  const silence = new SilenceTimer(request.signal);
  try {
    const have = await fileSize(request.part);
    silence.allow(request.timeouts.connectSeconds, 'no answer');
    const response = await request.fetch(request.url, { headers: headersFor(have), signal: silence.signal });
    const use = useOf(response, have);
    if (use.kind === 'content') return await store(response, { ...request, offset: use.offset, silence });
    await response.body?.cancel();
    if (use.kind === 'complete') return;
    if (have === 0)
      throw new DataError('downloadFailed', `HTTP ${response.status} ${response.statusText}`.trim());
    await rm(request.part, { force: true });
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    silence.stop();
  }
  return fetchFile(request);
}

/** `identity`: byte ranges are to be those of the file itself, whatever a server would like to pack it in. */
function headersFor(have: number): Record<string, string> {
  return { 'accept-encoding': 'identity', ...(have === 0 ? {} : { range: `bytes=${have}-` }) };
}

type Use =
  { readonly kind: 'content'; readonly offset: number } | { readonly kind: 'complete' | 'startOver' };

/** What an answer is good for when `have` bytes are in hand. */
function useOf(response: Response, have: number): Use {
  const range = response.headers.get('content-range') ?? '';
  switch (response.status) {
    case 200:
      return { kind: 'content', offset: 0 };
    case 206:
      return range.startsWith(`bytes ${have}-`) ? { kind: 'content', offset: have } : { kind: 'startOver' };
    case 416: // nothing lies beyond `have`: all of it is here, or what is here is something else
      return { kind: range === `bytes */${have}` ? 'complete' : 'startOver' };
    default:
      throw new DataError('downloadFailed', `HTTP ${response.status} ${response.statusText}`.trim());
  }
}

interface Storing extends FileRequest {
  /** Bytes of `part` that the content follows on. */
  readonly offset: number;
  readonly silence: SilenceTimer;
}

async function store(response: Response, { part, offset, silence, ...request }: Storing): Promise<void> {
  if (response.body === null) throw new DataError('downloadFailed', 'an answer without content');
  const announced = response.headers.get('content-length');
  const packed = response.headers.has('content-encoding');
  const total = announced === null || packed ? undefined : offset + Number(announced);
  const file = await open(part, offset === 0 ? 'w' : 'a');
  try {
    let received = offset;
    silence.allow(request.timeouts.stallSeconds, 'no more data');
    for await (const chunk of response.body) {
      await file.writeFile(chunk);
      received += chunk.length;
      request.onBytes(received, total);
      silence.allow(request.timeouts.stallSeconds, 'no more data');
    }
  } finally {
    await file.close();
  }
}
