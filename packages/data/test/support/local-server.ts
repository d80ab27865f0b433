import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** What the server is asked. */
export interface Asked {
  /** Last part of the path. */
  readonly file: string;
  /** First byte of the range that was asked for. */
  readonly from: number | undefined;
}

/** What it answers. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
  /** Sends this many bytes of the body and then nothing, until `cut()`. */
  readonly holdAfter?: number;
  /** Sends the rest once this is fulfilled. */
  readonly release?: Promise<void>;
  /** Does not tell the length of the body. */
  readonly chunked?: boolean;
  /** Does not even send the status. */
  readonly silent?: boolean;
}

/** A mirror on this machine. */
export interface LocalServer {
  readonly url: string;
  readonly host: string;
  readonly asked: Asked[];
  /** Body bytes of each answer. */
  readonly sent: number[];
  /** Breaks all connections. */
  cut(): void;
}

/** Starts a real HTTP server that is closed when the running test is over. */
export async function localServer(answer: (asked: Asked) => Answer | Promise<Answer>): Promise<LocalServer> {
  const asked: Asked[] = [];
  const sent: number[] = [];
  const server = createServer((request, response) => {
    const question = questionOf(request);
    asked.push(question);
    void Promise.resolve(answer(question)).then((answered) => sent.push(reply(response, answered)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const host = `127.0.0.1:${port}`;
  return { url: `http://${host}/files/`, host, asked, sent, cut: () => server.closeAllConnections() };
}

function questionOf(request: IncomingMessage): Asked {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  return {
    file: request.url?.split('/').at(-1) ?? '',
    from: range === null ? undefined : Number(range[1]),
  };
}

function reply(response: ServerResponse, answer: Answer): number {
  const { status, headers, body, holdAfter, release } = answer;
  if (answer.silent === true) return 0;
  const length = answer.chunked === true ? {} : { 'content-length': body?.length ?? 0 };
  response.writeHead(status, { ...length, ...headers });
  const bytes = body?.subarray(0, holdAfter) ?? new Uint8Array();
  if (holdAfter === undefined) response.end(bytes);
  else response.write(bytes);
  void release?.then(() => response.end(body?.subarray(bytes.length)));
  return bytes.length;
}

/** The answer of an ordinary server: the file, or the part of it that was asked for. */
export function served(content: Uint8Array | undefined, { from }: Asked): Answer {
  if (content === undefined) return { status: 404 };
  if (from === undefined) return { status: 200, body: content };
  const size = content.length;
  if (from >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` } };
  return {
    status: 206,
    headers: { 'content-range': `bytes ${from}-${size - 1}/${size}` },
    body: content.subarray(from),
  };
}
