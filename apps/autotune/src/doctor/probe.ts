// One probe of `batchwise doctor`, in a process of its own: engines swap the kernels of TensorFlow.js, and may crash or hang.
//   node probe.js REQUEST PARENT    the request and the answers are those of probe-messages.ts; the id of who waits for them
import { Worker } from 'node:worker_threads';
import { tfjsBackend } from '@batchwise/backend';
import type { Engine, LayersTf } from '@batchwise/backend/node';
import { loadInstalledEngine } from '../native-engine.ts';
import { EXPECTED_LOSSES, probeBatch, probeModel } from './probe-net.ts';
import type {
  GraphicsCard,
  LoadedFacts,
  ProbeMessage,
  ProbeRequest,
  WebgpuLimits,
} from './probe-messages.ts';

/** Steps that are timed after the compared ones; fewer on an engine that needs seconds for each. */
const TIMED_STEPS = { most: 7, least: 2, seconds: 2 };

const MEBIBYTE = 2 ** 20;

const say = (message: ProbeMessage): void => void process.send?.(message);

async function answer(request: ProbeRequest): Promise<ProbeMessage> {
  if (request.task === 'graphics') return { kind: 'graphics', cards: await graphicsCards() };
  say({ kind: 'phase', phase: 'loading' });
  let engine: Engine;
  try {
    engine = await loadInstalledEngine(request.engine, { webgpu: request.webgpu ?? {} });
  } catch (error) {
    return { kind: 'unavailable', ...refusal(error) };
  }
  const facts = factsOf(engine);
  if (!request.train) return { kind: 'loaded', facts };
  say({ kind: 'phase', phase: 'training' });
  return { kind: 'trained', facts, ...(await trainSteps(engine.tf)) };
}

/** The reason and the advice in what `loadEngine` throws, which are one text in its message. */
function refusal(error: unknown): { reason: string; hint: string } {
  const text = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : '';
  const reason = text
    .replace(/^Engine "\w+" is not to be had: /, '')
    .replace(hint, '')
    .trim();
  return { reason: reason.replace(/\.$/, ''), hint };
}

function factsOf({ name, tf, version, device, limits, reason }: Engine): LoadedFacts {
  return { engine: name, version, device, limits, reason, webgpu: webgpuLimits(tf) };
}

function webgpuLimits(tf: LayersTf): WebgpuLimits | null {
  const { device } = tf.backend() as { device?: { limits?: WebgpuLimits } };
  if (!device?.limits) return null;
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  return { maxBufferSize, maxStorageBufferBindingSize };
}

/** Trains as `batchwise train` does, by the same backend; a step is timed up to the number of its loss. */
async function trainSteps(
  tf: LayersTf,
): Promise<{ losses: (number | null)[]; firstStepMs: number; stepMs: number[] }> {
  const backend = tfjsBackend(tf, probeModel(tf));
  const batch = probeBatch();
  const step = async (): Promise<{ loss: number; ms: number }> => {
    const start = performance.now();
    const { gradient, loss } = await backend.gradient(batch);
    await backend.apply(gradient, 1);
    backend.release(gradient);
    const value = await loss.read();
    await backend.settle();
    return { loss: value, ms: performance.now() - start };
  };
  const compared: { loss: number; ms: number }[] = [];
  while (compared.length < EXPECTED_LOSSES.length) compared.push(await step());
  const stepMs: number[] = [];
  const { most, least, seconds } = TIMED_STEPS;
  for (let spent = 0; stepMs.length < least || (stepMs.length < most && spent < 1000 * seconds);) {
    const { ms } = await step();
    stepMs.push(ms);
    spent += ms;
  }
  return {
    losses: compared.map(({ loss }) => (Number.isFinite(loss) ? loss : null)),
    firstStepMs: compared[0]?.ms ?? NaN,
    stepMs,
  };
}

/** It blocks, and runs programs that may hang. */
async function graphicsCards(): Promise<GraphicsCard[]> {
  const { default: system } = await import('systeminformation');
  const { controllers } = await system.graphics();
  return controllers.map(({ vendor, model, vram }) => ({
    vendor,
    model,
    memoryBytes: vram ? vram * MEBIBYTE : null,
  }));
}

/**
 * Run in a thread of its own: the main one may hang in an engine. A process whose parent is gone has another one, perhaps
 * before this thread runs, hence the parent is not asked for here.
 */
const WATCH = `
  const { workerData: parent } = require('node:worker_threads');
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 500);
`;

/** Ends this process when nobody waits for its answer any more, also where the parent was killed. */
function endWith(parent: number): void {
  new Worker(WATCH, { eval: true, workerData: parent }).unref();
  process.once('disconnect', () => process.exit(1));
}

endWith(Number(process.argv[3]));
say(await answer(JSON.parse(process.argv[2] ?? '{}') as ProbeRequest));
