import { snapDown, snapUp, type SizeRange } from './bounds.ts';
import { largestWithin, predictPeakBytes, upperBytesPerExample, type MemoryFit } from './memory-fit.ts';
import type { PeakReading } from './reading.ts';
import { isWithin, type TrialRecord } from './trial.ts';

/** What bounds the ceiling. */
export type CeilingLimit =
  | 'memory'
  /** A limit of the device other than its memory: the size of a buffer, of a dispatch, of a texture. */
  | 'deviceLimit'
  | 'dataset'
  /** The user's `max`. */
  | 'maximum'
  /** The trials or seconds of the search, or the timeout of a trial. */
  | 'searchBudget'
  /** Larger sizes fail for a reason that is none of these; the trials have its message. */
  | 'failure';

/** What the next size depends on, beside the trials so far. */
export interface SearchState {
  readonly range: SizeRange;
  readonly start: number;
  /** Bytes that a step may take: the budget times the safety; null where no budget is known. */
  readonly allowedBytes: number | null;
  readonly fit: MemoryFit | undefined;
  /** Of the gradients alone; undefined where they are not told apart. */
  readonly gradientFit: MemoryFit | undefined;
  /** Whether readings are exact. */
  readonly isExact: boolean;
  /** Then the next size is aimed at directly. */
  readonly isLastTrial: boolean;
  /** A gain of less than this share is not worth a trial. */
  readonly resolution: number;
  /** Of the last step, from a size that takes most of what is allowed. */
  readonly closing: {
    readonly allowedBytes: number | null;
    readonly resolution: number;
    /** A size that takes as much is close enough to the limit, unless the allocator took more for it than it needs. */
    readonly enoughBytes: number | null;
  };
}

/** What to do next. */
export type Proposal =
  | { readonly kind: 'try'; readonly batchSize: number }
  | { readonly kind: 'stop'; readonly limitedBy: CeilingLimit };

/** Up to this factor the next size is aimed at directly; beyond, half the way is tried first. */
const DIRECT = 4;
/** No trial is this many times as large as what is known to fit. */
const LARGEST_STEP = 16;
/**
 * A size that takes no more than one a quarter of it has hardly begun to take memory, whatever both take: from there the largest
 * step is made, where there is room for so many times all that it takes.
 */
const FLAT = 1.02;
const MUCH_SMALLER = 4;
const WIDE = 5;
/** Growth where memory cannot be read or its size is not known. */
const BLIND_STEP = 4;
/** A size that takes this share of what is allowed is near: chunks of an allocator change little from there. */
const NEAR = 0.94;
/**
 * No example takes more for there being others: what is beyond the least that one took was handed out, and not needed.
 * Above the first share it is taken for that, and the second of it is counted on.
 */
const SURPLUS = 0.02;
const USABLE = 1 / 2;
/** A line that begins this share of the peak below what was in use before is that of a law that steepens. */
const STEEP = 0.1;
/** Where readings are not exact, a line through them is followed up to so many times the largest. */
const TRUSTED = 2;
/** A failure is explained by memory where it was expected to take this share of what is allowed. */
const EXPLAINED = 0.8;
/** Sizes this close to each other should fail together; one that fails alone is odd, not too big. */
const NEIGHBOUR = 15 / 16;
const NEIGHBOURHOOD = 0.85;
/** Where a size that memory was thought to hold fails, how far to go back, and how often before taking the middle. */
const RETREAT = 0.95;
const RETREATS = 2;
/** Below a size that failed, the search ends with a gain of less than this share. */
const CLOSE = 0.03;

const stop = (limitedBy: CeilingLimit): Proposal => ({ kind: 'stop', limitedBy });
const attempt = (batchSize: number): Proposal => ({ kind: 'try', batchSize });

/**
 * Whether memory may be the reason of a failure at a size: the fit, or proportion to the best where there is none yet,
 * has it take most of what is allowed.
 */
export function fillsMemory(
  batchSize: number,
  best: TrialRecord | undefined,
  { fit, allowedBytes }: Pick<SearchState, 'fit' | 'allowedBytes'>,
): boolean {
  if (!best?.peak || allowedBytes === null) return false;
  const expected = fit
    ? predictPeakBytes(fit, batchSize)
    : best.peak.peakBytes * (batchSize / best.batchSize);
  return expected >= EXPLAINED * allowedBytes;
}

/** The largest trial that fits. */
export function bestOf(trials: readonly TrialRecord[]): TrialRecord | undefined {
  const fitting = trials.filter(isWithin);
  return fitting.reduce<TrialRecord | undefined>(
    (best, trial) => (best && best.batchSize >= trial.batchSize ? best : trial),
    undefined,
  );
}

/** The next size to try, or why there is none. Pure. */
export function propose(trials: readonly TrialRecord[], search: SearchState): Proposal {
  const { range, start } = search;
  const last = trials.at(-1);
  if (last === undefined) return attempt(snapDown(range, start));
  const best = bestOf(trials);
  if (best === undefined) return proposeFirst(trials, last, range);
  if (best.batchSize >= range.most)
    return stop(range.limitedBy === 'none' ? 'searchBudget' : range.limitedBy);
  const failures = standingFailures(trials, best, search);
  const [lowest] = failures;
  const isClosing = closesIn(trials, best, search);
  const { allowedBytes, resolution } = isClosing ? search.closing : search;
  const grown = growth(trials, best, { ...search, allowedBytes });
  const wanted = isClosing ? Math.max(grown, withoutSurplus(trials, best, search)) : grown;
  const limit = lowest && lowest.batchSize <= wanted ? lowest : undefined;
  if (limit?.verdict === 'timeout') return stop('searchBudget');
  const aim = limit ? stepBack(failures, best, search) : wanted;
  const batchSize = untriedBelow(trials, range, aim);
  const gain = batchSize / best.batchSize - 1;
  const isWorthIt = gain > (limit ? CLOSE : resolution) || batchSize === range.most;
  if (batchSize > best.batchSize && isWorthIt) return attempt(batchSize);
  return stop(limit ? limitOf(limit) : 'memory');
}

/** Whether a size takes most of what is allowed. */
const isNear = ({ peak }: TrialRecord, { allowedBytes }: SearchState): boolean =>
  peak !== null && allowedBytes !== null && peak.peakBytes >= NEAR * allowedBytes;

/** Whether the last step is to be made: from near the limit, where more may fit than the reading says. */
function closesIn(trials: readonly TrialRecord[], best: TrialRecord, search: SearchState): boolean {
  if (!best.peak || !isNear(best, search)) return false;
  const { enoughBytes } = search.closing;
  return surplusOf(trials, best) > SURPLUS || enoughBytes === null || best.peak.peakBytes < enoughBytes;
}

/** Where the surplus of the best leads; from the first size that is near only, for readings change little from there. */
function withoutSurplus(trials: readonly TrialRecord[], best: TrialRecord, search: SearchState): number {
  const { allowedBytes } = search.closing;
  const near = trials.filter((trial) => isWithin(trial) && isNear(trial, search));
  if (!best.peak || allowedBytes === null || near.length > 1) return best.batchSize;
  const neededBytes = best.peak.peakBytes * (1 - USABLE * surplusOf(trials, best));
  return (best.batchSize * allowedBytes) / neededBytes;
}

/** The share of a reading that the cheapest size says is not needed. */
function surplusOf(trials: readonly TrialRecord[], best: TrialRecord): number {
  const cheapest = Math.min(...trials.flatMap((trial) => bytesEach(trial)));
  return Math.max(0, ...bytesEach(best).map((bytes) => 1 - cheapest / bytes));
}

/** What gradients took for each example; nothing where it was not read. */
const bytesEach = ({ peak, batchSize }: TrialRecord): number[] =>
  peak ? [(peak.gradientPeakBytes ?? peak.peakBytes) / batchSize] : [];

/** While nothing fits yet: down after a size that was too big, up and down after an error. */
function proposeFirst(trials: readonly TrialRecord[], last: TrialRecord, range: SizeRange): Proposal {
  if (last.verdict !== 'error') {
    if (last.batchSize <= range.least) return stop(limitOf(last));
    return attempt(snapDown(range, last.batchSize / BLIND_STEP));
  }
  if (trials.filter(({ verdict }) => verdict === 'error').length > 1) return stop('failure');
  // Some layers need more than one example; only then less is tried.
  const larger = snapUp(range, 2 * last.batchSize);
  if (trials.every(({ batchSize }) => batchSize !== larger)) return attempt(larger);
  const smaller = snapDown(range, last.batchSize / 2);
  return smaller < last.batchSize ? attempt(smaller) : stop('failure');
}

/** Failures above the best, the lowest first; none where a single size failed alone, close above one that fits. */
function standingFailures(
  trials: readonly TrialRecord[],
  best: TrialRecord,
  search: SearchState,
): TrialRecord[] {
  const above = trials
    .filter((trial) => !isWithin(trial) && trial.batchSize > best.batchSize)
    .sort((a, b) => a.batchSize - b.batchSize);
  const [failure, ...others] = above;
  const isOdd =
    failure !== undefined &&
    others.length === 0 &&
    !isExplained(failure, best, search) &&
    best.batchSize >= NEIGHBOURHOOD * failure.batchSize;
  return isOdd ? [] : above;
}

/** Whether memory, or time, may be the reason. Without a budget each failure counts as the ceiling. */
function isExplained(failure: TrialRecord, best: TrialRecord, search: SearchState): boolean {
  if (failure.verdict === 'timeout' || failure.verdict === 'overBudget') return true;
  if (failure.verdict === 'error') return false;
  return search.allowedBytes === null || best.peak === null || fillsMemory(failure.batchSize, best, search);
}

/** Between the best and the lowest failure: beside it, a little below it, or half the way. */
function stepBack(failures: readonly TrialRecord[], best: TrialRecord, search: SearchState): number {
  const [lowest] = failures;
  if (lowest === undefined) return best.batchSize;
  const middle = Math.sqrt(best.batchSize * lowest.batchSize);
  if (isExplained(lowest, best, search))
    return failures.length <= RETREATS ? Math.max(middle, RETREAT * lowest.batchSize) : middle;
  const isAlone = failures.every(
    (other) => other === lowest || NEIGHBOURHOOD * other.batchSize > lowest.batchSize,
  );
  return isAlone ? Math.max(middle, NEIGHBOUR * lowest.batchSize) : middle;
}

/**
 * The size to grow to if nothing failed. No examples take no negative memory, so what gradients take beyond what was in
 * use before grows at most in proportion to the batch, whatever the floor: that bound holds from the first reading on. A
 * measured slope is better, and the band of the fit best; where these say that the proportion is too bold, it is not used.
 */
function growth(trials: readonly TrialRecord[], best: TrialRecord, search: SearchState): number {
  const { allowedBytes, isLastTrial } = search;
  if (allowedBytes === null || best.peak === null) return BLIND_STEP * best.batchSize;
  if (isFlat(trials, best) && allowedBytes > (1 + WIDE) * best.peak.peakBytes)
    return LARGEST_STEP * best.batchSize;
  const bounds = growthBounds(trials, { batchSize: best.batchSize, peak: best.peak, allowedBytes }, search);
  const ratio = Math.max(...bounds) / best.batchSize;
  const isDirect = ratio <= DIRECT || (isLastTrial && ratio <= LARGEST_STEP);
  return best.batchSize * (isDirect ? ratio : Math.min(ratio / 2, LARGEST_STEP));
}

function isFlat(trials: readonly TrialRecord[], best: TrialRecord): boolean {
  const bestBytes = best.peak?.peakBytes ?? Infinity;
  return trials.some(
    ({ batchSize, peak }) =>
      MUCH_SMALLER * batchSize <= best.batchSize && bestBytes <= FLAT * (peak?.peakBytes ?? 0),
  );
}

/** Sizes that should stay within what is allowed, each for a reason of its own. */
function growthBounds(
  trials: readonly TrialRecord[],
  { batchSize, peak, allowedBytes }: { batchSize: number; peak: PeakReading; allowedBytes: number },
  { fit, gradientFit, range, isExact }: SearchState,
): number[] {
  const trustedBytes = isExact ? allowedBytes : Math.min(allowedBytes, TRUSTED * peak.peakBytes);
  const baseBytes = Math.min(...trials.flatMap(({ peak }) => (peak ? [peak.baseBytes ?? 0] : [])));
  const roomBytes = allowedBytes - peak.peakBytes;
  const gradientBytes = (peak.gradientPeakBytes ?? peak.peakBytes) - baseBytes;
  const byProportion = batchSize * (1 + roomBytes / Math.max(1, gradientBytes));
  const bySlope = gradientFit
    ? [batchSize + (trustedBytes - peak.peakBytes) / upperBytesPerExample(gradientFit)]
    : [];
  const to = Math.max(batchSize, range.most);
  const byFit = fit ? [largestWithin(fit, trustedBytes, { from: batchSize, to })] : [];
  const leastBytes = baseBytes - STEEP * peak.peakBytes;
  const steepens = [fit, gradientFit].some((line) => line !== undefined && line.interceptBytes < leastBytes);
  // A larger size that took more than in proportion: there are gaps between its blocks, or the law steepens.
  const isRefuted = trials.some(
    (trial) =>
      trial.batchSize > batchSize &&
      bytesEach(trial).some((bytes) => bytes > (gradientBytes + baseBytes) / batchSize),
  );
  const byLines = [...bySlope, ...byFit];
  if (!steepens && !isRefuted) return [byProportion, ...byLines];
  return byLines.length > 0 ? byLines : byChord(trials, { batchSize, peak, allowedBytes });
}

/** Between two readings of a law that steepens no size takes more than the line through them says: to the next larger one. */
function byChord(
  trials: readonly TrialRecord[],
  { batchSize, peak, allowedBytes }: { batchSize: number; peak: PeakReading; allowedBytes: number },
): number[] {
  const larger = trials
    .filter((trial) => trial.batchSize > batchSize && trial.peak)
    .sort((a, b) => a.batchSize - b.batchSize);
  return larger.slice(0, 1).map((trial) => {
    const rise = (trial.peak?.peakBytes ?? 0) - peak.peakBytes;
    const share = (allowedBytes - peak.peakBytes) / Math.max(1, rise);
    return batchSize + (trial.batchSize - batchSize) * share;
  });
}

/** The largest allowed size at or below `aim` that was not tried; below the least where all were. */
function untriedBelow(trials: readonly TrialRecord[], range: SizeRange, aim: number): number {
  const tried = new Set(trials.map(({ batchSize }) => batchSize));
  let size = snapDown(range, aim);
  while (tried.has(size) && size > 0) size -= range.step;
  return size;
}

function limitOf({ verdict, limit }: TrialRecord): CeilingLimit {
  if (verdict === 'timeout') return 'searchBudget';
  if (verdict === 'wrong') return 'deviceLimit';
  if (verdict === 'error') return 'failure';
  return limit ?? 'memory';
}
