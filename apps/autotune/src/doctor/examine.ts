import type { EngineName, WebgpuOptions } from '@batchwise/backend/node';
import { usableMemory, type Machine } from './machine.ts';
import { EXPECTED_LOSSES, LOSS_TOLERANCE } from './probe-net.ts';
import { adviceFor, type Surroundings } from './advice.ts';
import type { LoadedFacts } from './probe-messages.ts';
import { largestDifference, median, type AutoChoice, type EngineReport, type Reference } from './report.ts';
import type { ProbeOutcome, RunProbe } from './run-probe.ts';

/** The way an engine was tried: webgpu has several. */
type Way = 'plain' | 'software' | 'null';

interface Tried {
  readonly way: Way;
  readonly outcome: ProbeOutcome;
  /** Why the ways before did not do. */
  readonly earlier: string;
}

/** Tries one engine, each time in a process of its own. */
export async function examine(
  engine: EngineName,
  probe: RunProbe,
  surroundings: Surroundings,
): Promise<Finding> {
  const tried = engine === 'webgpu' ? await tryWebgpu(probe, surroundings) : await tryPlain(engine, probe);
  return { engine, ...tried };
}

/** An engine with how it was tried, before it is compared. */
export type Finding = Tried & { readonly engine: EngineName };

async function tryPlain(engine: EngineName, probe: RunProbe): Promise<Tried> {
  return { way: 'plain', outcome: await probe({ task: 'engine', engine, train: true }), earlier: '' };
}

/** A real GPU; else one that is made of software; else the null device, which tells that all but the GPU is there. */
async function tryWebgpu(probe: RunProbe, { softwareVulkan }: Surroundings): Promise<Tried> {
  const ask = (webgpu: WebgpuOptions, train: boolean, env?: Readonly<Record<string, string>>) =>
    probe({ task: 'engine', engine: 'webgpu', webgpu, train }, env);
  const real = await ask({ software: false }, true);
  if (real.kind !== 'unavailable') return { way: 'plain', outcome: real, earlier: '' };
  const software = await ask({ software: true }, true, softwareVulkan);
  if (software.kind !== 'unavailable') return { way: 'software', outcome: software, earlier: real.reason };
  const nothing = await ask({ dawn: ['backend=null'] }, false);
  return { way: 'null', outcome: nothing, earlier: real.reason };
}

/** What the losses of all engines are held against: those of the cpu engine, if they are as stated. */
export function referenceOf(findings: readonly Finding[]): Reference {
  const cpu = findings.find(({ engine }) => engine === 'cpu')?.outcome;
  const losses = cpu?.kind === 'trained' ? cpu.losses : [];
  const difference = largestDifference(losses, EXPECTED_LOSSES);
  const tolerance = LOSS_TOLERANCE;
  return difference !== null && difference <= tolerance
    ? { engine: 'cpu', losses: losses.map(Number), tolerance }
    : { engine: null, losses: EXPECTED_LOSSES, tolerance };
}

/** The report on a finding. */
export function reportOn(finding: Finding, reference: Reference, surroundings: Surroundings): EngineReport {
  const { engine, outcome } = finding;
  const facts = outcome.kind === 'trained' || outcome.kind === 'loaded' ? outcome.facts : undefined;
  const trained = outcome.kind === 'trained' ? outcome : undefined;
  const losses = trained?.losses ?? [];
  // The cpu engine is held against the stated losses, not against itself.
  const expected = engine === 'cpu' ? EXPECTED_LOSSES : reference.losses;
  const lossDifference = trained ? largestDifference(losses, expected) : null;
  const verdict = verdictOn(finding, lossDifference !== null && lossDifference <= reference.tolerance);
  return {
    engine,
    works: verdict === 'trains' || verdict === 'software',
    verdict,
    ...adviceFor({ engine, verdict, outcome, earlier: finding.earlier, losses, expected }, surroundings),
    version: facts?.version ?? null,
    device: facts?.device ?? null,
    memoryBytes: facts ? memoryOf(facts, verdict, surroundings.machine) : null,
    limits: { memoryBytes: null, tensorBytes: null, ...facts?.limits, webgpu: facts?.webgpu ?? null },
    losses,
    lossDifference,
    firstStepMs: trained?.firstStepMs ?? null,
    stepMs: median(trained?.stepMs ?? []),
  };
}

function verdictOn({ way, outcome }: Finding, isRight: boolean): EngineReport['verdict'] {
  if ('reason' in outcome) return outcome.kind;
  if (outcome.kind !== 'trained') return 'noGpu';
  if (!isRight) return 'trainsWrongly';
  return way === 'software' ? 'software' : 'trains';
}

/** What an engine may fill: the GPU's memory, where the driver tells it, or that of the machine, within its own limit. */
function memoryOf(
  { engine, limits }: LoadedFacts,
  verdict: EngineReport['verdict'],
  machine: Machine,
): number | null {
  const isOnGpu = engine === 'cuda' || (engine === 'webgpu' && verdict !== 'software');
  const available = isOnGpu ? (machine.nvidia.gpus[0]?.totalBytes ?? null) : usableMemory(machine);
  if (verdict === 'noGpu' || available === null) return limits.memoryBytes;
  return Math.min(available, limits.memoryBytes ?? Infinity);
}

/** The engine that `--backend auto` takes, by loading it. */
export async function autoChoice(probe: RunProbe): Promise<AutoChoice> {
  const outcome = await probe({ task: 'engine', engine: 'auto', train: false });
  if (outcome.kind === 'loaded') return { engine: outcome.facts.engine, reason: outcome.facts.reason };
  return { engine: null, reason: 'reason' in outcome ? outcome.reason : 'its process gave no answer' };
}
