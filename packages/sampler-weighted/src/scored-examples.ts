import type { DrawnBy } from './importance-weights.ts';
import { Recency } from './recency.ts';
import { SumTree } from './sum-tree.ts';

/** What is known of each example; survives JSON. */
export type ScoresState = {
  /** Score of each example, `null` where none is known or it is out of date. */
  readonly scores: readonly (number | null)[];
  /** How many scores were told before that of each example; 0 where none is known. */
  readonly toldAt: readonly number[];
  /** Scores told so far, of all examples. */
  readonly told: number;
  /** The largest mass that an example had so far; 0 before the first. */
  readonly largestMass: number;
};

/** How scores make probabilities. */
export interface ScoreRule {
  /** What a score counts for, 0 or more. */
  massOf(score: number): number;
  /** What an example without a score counts for: as much as the average or as the largest one. */
  readonly unknown: 'mean' | 'largest';
  /** Share of the draws that go to all examples alike. */
  readonly floor: number;
  /** What a new score counts for beside the earlier one, above 0 up to 1. */
  readonly smoothing: number;
  /** A score is forgotten once so many others were told after it. */
  readonly staleAfter: number;
}

/** Sums of masses neither overflow nor vanish. */
const [SMALLEST_MASS, LARGEST_MASS] = [1e-280, 1e280];

/**
 * Examples with scores and their probabilities: p_i = floor / N + (1 − floor) m_i / Σ m, where m_i is the mass of the
 * score or, without one, the average or the largest mass.
 */
export class ScoredExamples {
  readonly #size: number;
  readonly #rule: ScoreRule;
  /** Masses of examples with a score, and 1 for each one without. */
  readonly #masses: SumTree;
  readonly #unknown: SumTree;
  readonly #scores: Float64Array;
  readonly #toldAt: Float64Array;
  readonly #recency: Recency;
  /** Of the latest draw. */
  readonly #mass = new Float64Array(1);
  #told: number;
  #largestMass: number;

  constructor(size: number, rule: ScoreRule, state?: ScoresState) {
    this.#size = size;
    this.#rule = rule;
    this.#told = state?.told ?? 0;
    this.#largestMass = state?.largestMass ?? 0;
    this.#scores = Float64Array.from({ length: size }, (_, index) => state?.scores[index] ?? NaN);
    this.#toldAt = Float64Array.from({ length: size }, (_, index) => state?.toldAt[index] ?? 0);
    this.#masses = new SumTree(this.#scores.map((score) => (Number.isNaN(score) ? 0 : this.#massOf(score))));
    this.#unknown = new SumTree(this.#scores.map((score) => (Number.isNaN(score) ? 1 : 0)));
    this.#recency = new Recency(size);
    const known = Int32Array.from(this.#scores.keys()).filter((index) => !Number.isNaN(this.#scores[index]));
    known.sort((a, b) => (this.#toldAt[a] ?? 0) - (this.#toldAt[b] ?? 0));
    for (const index of known) this.#recency.touch(index);
  }

  /** As `IndependentDraws.draw`. What all draws have in common is worked out once; nothing but indices is left behind. */
  draw(uniforms: Float64Array, indices: Int32Array): void {
    const { floor } = this.#rule;
    const [masses, unknown, mass, size] = [this.#masses, this.#unknown, this.#mass, this.#size];
    const known = masses.total;
    const unknowns = unknown.total;
    const unknownMass = this.#unknownMass;
    const total = known + unknowns * unknownMass;
    for (let k = 0; k < indices.length; k++) {
      const uniform = uniforms[k] ?? 0;
      const at = ((uniform - floor) / (1 - floor)) * total;
      if (uniform < floor) indices[k] = Math.min(size - 1, Math.floor((uniform / floor) * size));
      else {
        const isKnown = unknowns === 0 || at < known;
        mass[0] = isKnown ? at : (at - known) / unknownMass;
        indices[k] = (isKnown ? masses : unknown).findAt(mass, 0);
      }
    }
  }

  /** By what the examples are drawn now. A mass that is known is not 0. */
  get drawnBy(): DrawnBy {
    const unknown = this.#unknownMass;
    const mean = (this.#masses.total + this.#unknown.total * unknown) / this.#size;
    return { masses: this.#masses.weights, mean, unknown, floor: this.#rule.floor };
  }

  /** Takes in the score of an example, and forgets those that are out of date by it. */
  tell(index: number, score: number): void {
    const { smoothing, staleAfter } = this.#rule;
    const before = this.#scores[index] ?? NaN;
    const after = Number.isNaN(before) ? score : before + smoothing * (score - before);
    const mass = this.#massOf(after);
    this.#scores[index] = after;
    this.#masses.set(index, mass);
    if (Number.isNaN(before)) this.#unknown.set(index, 0);
    this.#largestMass = Math.max(this.#largestMass, mass);
    this.#toldAt[index] = this.#told;
    this.#told += 1;
    this.#recency.touch(index);
    for (;;) {
      const { oldest } = this.#recency;
      if (this.#told - (this.#toldAt[oldest] ?? Infinity) <= staleAfter) return;
      this.#forget(oldest);
    }
  }

  state(): ScoresState {
    return {
      scores: Array.from(this.#scores, (score) => (Number.isNaN(score) ? null : score)),
      toldAt: Array.from(this.#toldAt),
      told: this.#told,
      largestMass: this.#largestMass,
    };
  }

  #forget(index: number): void {
    this.#scores[index] = NaN;
    this.#toldAt[index] = 0;
    this.#masses.set(index, 0);
    this.#unknown.set(index, 1);
    this.#recency.remove(index);
  }

  #massOf(score: number): number {
    return Math.min(LARGEST_MASS, Math.max(SMALLEST_MASS, this.#rule.massOf(score)));
  }

  get #unknownMass(): number {
    const known = this.#size - this.#unknown.total;
    if (known === 0) return 1;
    return this.#rule.unknown === 'largest' ? this.#largestMass : this.#masses.total / known;
  }
}
