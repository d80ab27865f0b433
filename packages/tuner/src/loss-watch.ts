/** Losses whose median stands for now: half of them may be unlucky batches. */
export const LOSS_WINDOW = 11;
/** A loss that stays higher becomes the one to compare with over so many steps. */
const PATIENCE = 500;
/** An explosion is this many times the lowest loss, and at least this share of that at the start. */
const RATIO = 2;
const SHARE_OF_START = 0.5;
/** Weights are worth keeping below these. */
const HEALTHY_RATIO = 1.25;
const HEALTHY_SHARE = 0.25;

/** What the losses of a run were like. Survives JSON. */
export type LossWatch = {
  /** The latest losses, oldest first, at most 11. */
  readonly latest: readonly number[];
  /** Their median, that of the first 11, and the lowest since; null before there are so many. */
  readonly now: number | null;
  readonly start: number | null;
  readonly lowest: number | null;
};

/** Before the first loss. */
export const NO_LOSSES: LossWatch = { latest: [], now: null, start: null, lowest: null };

/** One finite loss later. The lowest forgets, so that a loss which stays higher is what later ones are compared with. */
export function watchLoss({ latest, start, lowest }: LossWatch, loss: number): LossWatch {
  const window = latest.length < LOSS_WINDOW ? [...latest, loss] : [...latest.slice(1), loss];
  if (window.length < LOSS_WINDOW) return { latest: window, now: null, start, lowest };
  const now = median(window);
  const known = lowest ?? now;
  return {
    latest: window,
    now,
    start: start ?? now,
    lowest: now <= known ? now : known + (now - known) / PATIENCE,
  };
}

/** The median of the latest losses, undefined before there are 11. */
export const presentLoss = ({ now }: LossWatch): number | undefined => now ?? undefined;

/**
 * Whether the loss has left its range: most of the latest steps are at twice the lowest loss and at half of that at the
 * start or more. The second is needed late in a run, where a loss near 0 doubles with one example. A loss that may be
 * negative has no such ratios: it must lie above the start by as much as it had come below it, by what it was there, and
 * by as much as the latest losses lie apart.
 */
export const hasExploded = (watch: LossWatch): boolean =>
  isAbove(watch, ({ start, lowest, scale }) =>
    scale === undefined ? Math.max(RATIO * lowest, SHARE_OF_START * start) : start + scale,
  );

/** Whether now is a moment to go back to. */
export const isHealthy = (watch: LossWatch): boolean =>
  presentLoss(watch) !== undefined &&
  !isAbove(watch, ({ start, lowest, scale }) =>
    scale === undefined
      ? Math.max(HEALTHY_RATIO * lowest, HEALTHY_SHARE * start)
      : lowest + HEALTHY_SHARE * scale,
  );

interface LossRange {
  readonly start: number;
  readonly lowest: number;
  /** How far losses that may be negative lie apart; undefined of others. */
  readonly scale: number | undefined;
}

function isAbove(watch: LossWatch, bound: (range: LossRange) => number): boolean {
  const now = presentLoss(watch);
  const { start, lowest } = watch;
  if (now === undefined || start === null || lowest === null) return false;
  const maySink = lowest < 0 || start <= 0;
  const scale = maySink ? Math.max(Math.abs(start), start - lowest, spread(watch.latest)) : undefined;
  return scale !== 0 && now > bound({ start, lowest, scale });
}

const spread = (losses: readonly number[]): number => Math.max(...losses) - Math.min(...losses);

/** By insertion, which for so few is several times as fast as a sort: this runs at each step. */
function median(losses: readonly number[]): number {
  const sorted: number[] = [];
  for (const loss of losses) {
    let place = sorted.length;
    for (; place > 0 && (sorted[place - 1] ?? 0) > loss; place -= 1) sorted[place] = sorted[place - 1] ?? 0;
    sorted[place] = loss;
  }
  return sorted[losses.length >> 1] ?? NaN;
}
