import type { EngineName } from '@batchwise/backend/node';
import type { Surroundings } from './advice.ts';
import { autoChoice, examine, referenceOf, reportOn, type Finding } from './examine.ts';
import { examineMachine } from './machine.ts';
import type { DoctorRecord } from './report.ts';
import type { RunProbe } from './run-probe.ts';

/** What a diagnosis needs. */
export interface DiagnosisOptions extends Omit<Surroundings, 'machine'> {
  readonly engines: readonly EngineName[];
  readonly probe: RunProbe;
  readonly signal: AbortSignal;
  /** Called before each part of the work, with what it is. */
  readonly onStep: (step: string) => void;
}

/** Examines the machine, then each engine, one after the other: side by side they would spoil each other's times. */
export async function diagnose(options: DiagnosisOptions): Promise<DoctorRecord> {
  const { engines, probe, signal, onStep } = options;
  onStep('Looking at the machine');
  const surroundings: Surroundings = { ...options, machine: await examineMachine(probe, signal) };
  const findings: Finding[] = [];
  for (const engine of engines) {
    onStep(`Trying ${engine}`);
    findings.push(await examine(engine, probe, surroundings));
  }
  onStep('Asking for the engine that auto takes');
  const auto = await autoChoice(probe);
  const reference = referenceOf(findings);
  return {
    schema: 'batchwise.doctor/1',
    machine: surroundings.machine,
    reference,
    engines: findings.map((finding) => reportOn(finding, reference, surroundings)),
    auto,
  };
}
