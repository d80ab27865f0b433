import type { EngineName } from '@batchwise/backend/node';
import { figure, shortened } from '../format.ts';
import type { Machine } from './machine.ts';
import type { EngineReport, Verdict } from './report.ts';
import type { ProbeOutcome } from './run-probe.ts';

/** What is known beside the engine itself. */
export interface Surroundings {
  readonly machine: Machine;
  /** Environment in which WebGPU finds a Vulkan made of software, where one is installed. */
  readonly softwareVulkan: Readonly<Record<string, string>> | undefined;
  /** Why `setup-native` failed, with and without `--gpu`; undefined where it did not. */
  readonly setupFailure: { readonly cpu: string | undefined; readonly gpu: string | undefined };
}

interface Case {
  readonly engine: EngineName;
  readonly verdict: Verdict;
  readonly outcome: ProbeOutcome;
  readonly earlier: string;
  readonly losses: readonly (number | null)[];
  readonly expected: readonly number[];
}

type Advice = Pick<EngineReport, 'reason' | 'remedy'>;

const SETUP = 'npx batchwise setup-native';

/** Why an engine is as it is, and the command or the deed that mends it. */
export function adviceFor(found: Case, surroundings: Surroundings): Advice {
  const { engine, verdict, outcome, earlier } = found;
  switch (verdict) {
    case 'trains':
      return { reason: '', remedy: '' };
    case 'software':
      return {
        reason: `${earlier}; computed by software on the processor: slow, for tests only`,
        remedy: DRIVER,
      };
    case 'noGpu':
      return {
        reason: `no GPU: ${earlier}. Dawn loads; on its null device nothing is computed`,
        remedy: DRIVER,
      };
    case 'trainsWrongly':
      return {
        reason: `trains wrongly: ${lossesBeside(found)}`,
        remedy: `Do not train on it: ${instead(engine)}`,
      };
    case 'timedOut':
      return { reason: reasonOf(outcome), remedy: `To wait longer: npx batchwise doctor --time-limit 300` };
    case 'crashed':
      return { reason: reasonOf(outcome), remedy: afterCrash(engine, outcome) };
    case 'unavailable':
      return adviceOnMissing(engine, outcome, surroundings);
  }
}

const DRIVER = 'For a GPU: install its driver with Vulkan (vulkaninfo lists what Vulkan sees).';

const reasonOf = (outcome: ProbeOutcome): string => ('reason' in outcome ? outcome.reason : '');

const instead = (engine: EngineName): string =>
  `npx batchwise train --backend ${engine === 'wasm' ? 'cpu' : 'wasm'}`;

const lossesBeside = ({ losses, expected }: Case): string => {
  const list = (values: readonly (number | null)[]): string =>
    values.map((value) => (value === null ? 'no number' : figure(value))).join(', ');
  return `losses ${list(losses)} where ${list(expected)} are right`;
};

function afterCrash(engine: EngineName, outcome: ProbeOutcome): string {
  const isForeign = outcome.kind === 'crashed' && outcome.signal === 'SIGILL';
  if (isForeign || (engine !== 'cuda' && engine !== 'native')) return `Meanwhile: ${instead(engine)}`;
  return `Delete the folder "native" in the cache, then: ${SETUP}${engine === 'cuda' ? ' --gpu' : ''}`;
}

function adviceOnMissing(engine: EngineName, outcome: ProbeOutcome, surroundings: Surroundings): Advice {
  const { machine, setupFailure } = surroundings;
  const reason = reasonOf(outcome);
  const failed = (why: string | undefined): string =>
    why === undefined ? '' : `; the last setup failed: ${shortened(why, 200)}`;
  const hint = outcome.kind === 'unavailable' ? outcome.hint : '';
  if (engine === 'cuda' && machine.nvidia.gpus.length === 0)
    return { reason: `no NVIDIA GPU (${machine.nvidia.problem ?? 'none is listed'})`, remedy: '' };
  if (engine === 'cuda')
    return /sees no GPU/.test(reason)
      ? { reason, remedy: hint }
      : { reason: `${reason}${failed(setupFailure.gpu)}`, remedy: `${SETUP} --gpu` };
  if (engine === 'native') return { reason: `${reason}${failed(setupFailure.cpu)}`, remedy: SETUP };
  return { reason, remedy: hint };
}
