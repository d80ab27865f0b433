import { findCgroup, readCgroup, type CgroupMemory, type CgroupPlace } from './cgroup.ts';
import type { MemoryEvidence, Pressure } from './death.ts';
import { hostRoom } from './host-room.ts';
import { processMemory } from './process-memory.ts';

const INTERVAL_MS = 50;

/** Watches the memory of another process, for the case that it dies of it. */
export class ProcessWatch {
  readonly #pid: number;
  readonly #pressures = new Map<string, Pressure>();
  readonly #timer: NodeJS.Timeout;
  /** Each group that it was seen in, with the kills counted there at first. A dead process seems to be in another. */
  readonly #groups = new Map<string, { readonly place: CgroupPlace; readonly kills: number }>();
  #sampling: Promise<void>;

  /** @param controlGroup the folder of a group that it is about to join */
  constructor(pid: number, controlGroup?: string) {
    this.#pid = pid;
    this.#sampling = this.#begin(controlGroup);
    this.#timer = setInterval(
      () => (this.#sampling = this.#sampling.then(() => this.#sample())),
      INTERVAL_MS,
    );
    this.#timer.unref();
  }

  /** Ends the watch, after the process did. */
  async end(): Promise<MemoryEvidence> {
    clearInterval(this.#timer);
    await this.#sampling;
    const rises = [...this.#groups.values()].map(async ({ place, kills }) => {
      const now = (await readCgroup(place))?.oomKills ?? kills;
      return now - kills;
    });
    const oomKills = Math.max(0, ...(await Promise.all(rises)));
    return { pressures: [...this.#pressures.values()], oomKills };
  }

  async #begin(controlGroup: string | undefined): Promise<void> {
    // It may join its group, and die there, between two samples.
    if (controlGroup !== undefined)
      for (const version of [1, 2] as const) await this.#noteGroup({ version, folders: [controlGroup] });
    const { all } = await hostRoom();
    const machine = all.find(({ source }) => source === 'MemAvailable');
    if (machine) this.#note({ source: 'memory of the machine', usedBytes: 0, limitBytes: machine.freeBytes });
    await this.#sample();
  }

  async #sample(): Promise<void> {
    const [memory, place] = await Promise.all([processMemory(this.#pid), findCgroup(this.#pid)]);
    const group = place && (await this.#noteGroup(place));
    const machine = this.#pressures.get('memory of the machine');
    this.#noteIf('memory of the machine', memory?.peakResidentBytes, machine?.limitBytes);
    this.#noteIf('ulimit -v', memory?.peakAddressSpaceBytes, memory?.addressSpaceLimitBytes);
    this.#noteIf('ulimit -d', memory?.dataBytes, memory?.dataLimitBytes);
    this.#noteIf(`cgroup v${group?.version}`, group?.usedBytes, group?.limitBytes);
  }

  /** Remembers a group that is new, with the kills so far. */
  async #noteGroup(place: CgroupPlace): Promise<CgroupMemory | undefined> {
    const group = await readCgroup(place);
    const [folder] = place.folders;
    if (group && folder !== undefined && !this.#groups.has(folder))
      this.#groups.set(folder, { place, kills: group.oomKills ?? 0 });
    return group;
  }

  #noteIf(source: string, usedBytes: number | null | undefined, limitBytes: number | null | undefined): void {
    if (typeof usedBytes === 'number' && typeof limitBytes === 'number')
      this.#note({ source, usedBytes, limitBytes });
  }

  /** Keeps the most of each. */
  #note(pressure: Pressure): void {
    const before = this.#pressures.get(pressure.source);
    if (!before || pressure.usedBytes >= before.usedBytes) this.#pressures.set(pressure.source, pressure);
  }
}
