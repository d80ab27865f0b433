// A process that a trial may start: it does what its argument says once it is asked.
const [what, detail] = process.argv.slice(2);
const kept = [];

/** Takes physical memory until something gives way. */
function takeAll() {
  for (;;) kept.push(Buffer.alloc(8 << 20, 1));
}

const ACTS = {
  answer: ({ batchSize }) =>
    process.send({ kind: 'trained', steps: 1, examples: batchSize, peak: null, canary: null }),
  nonsense: () => process.send({ kind: 'maybe' }),
  ask: (request) => process.send({ kind: 'error', message: JSON.stringify(request) }),
  exit: () => process.exit(Number(detail)),
  say: () => {
    process.stderr.write(`terminate called: ${detail}\n`, () => process.abort());
  },
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  hang: () => setInterval(() => {}, 1000),
  take: takeAll,
  takeObjects: () => {
    for (;;) kept.push(new Array(1000).fill({}));
  },
};

process.once('message', (request) => ACTS[what](request));
