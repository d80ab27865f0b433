import { placesIn, shuffledExamples, type Ordering, type Ranking } from './ranking.ts';
import { SortedExamples, type Keyed } from './sorted-examples.ts';

/** What a curriculum by losses has learned; survives JSON. */
export type LossCurriculumState = {
  /** The latest loss of each example, `null` where none is known or it is out of date. */
  readonly losses: readonly (number | null)[];
  /** How many losses were told before that of each example; 0 where none is known. */
  readonly toldAt: readonly number[];
  /** Losses told so far, of all examples. */
  readonly told: number;
};

/** What decides a ranking by losses. */
export interface LossRankingRule {
  readonly seed: number;
  readonly ordering: Ordering;
  /** A loss is forgotten once so many others came in after it. */
  readonly staleAfter: number;
  readonly state?: LossCurriculumState | undefined;
}

/** The ranking by the latest losses. */
export class LossRanking implements Ranking {
  readonly size: number;
  readonly #rule: LossRankingRule;
  /** Where each example stands among equals. */
  readonly #tieBreak: Int32Array;
  /** `NaN` where none is known. */
  readonly #losses: Float64Array;
  readonly #toldAt: Float64Array;
  #told: number;
  readonly #unknown: SortedExamples;
  readonly #byLoss: SortedExamples;
  /** Those with a loss, in the order of `random-curriculum`. */
  readonly #inAnyOrder: SortedExamples;

  /** @throws RangeError when the state is of another number of examples */
  constructor(size: number, rule: LossRankingRule) {
    const { state } = rule;
    if (state) requireState(state, size);
    this.size = size;
    this.#rule = rule;
    this.#tieBreak = placesIn(shuffledExamples(size, rule.seed));
    this.#losses = new Float64Array(size).fill(NaN);
    this.#toldAt = Float64Array.from({ length: size }, (_, example) => state?.toldAt[example] ?? 0);
    this.#told = state?.told ?? 0;
    this.#unknown = new SortedExamples(this.#tieBreak);
    this.#byLoss = new SortedExamples(this.#tieBreak);
    this.#inAnyOrder = new SortedExamples(this.#tieBreak);
    this.#unknown.update(
      [],
      Array.from(this.#losses.keys(), (example) => this.#tied(example)),
    );
    if (state) this.#change(new Map(state.losses.map((loss, example) => [example, loss ?? NaN])));
  }

  get known(): number {
    return this.#byLoss.length;
  }

  countUpTo(bound: number): number {
    return this.#byLoss.countUpTo(bound);
  }

  placeOf(example: number): number {
    const key = this.#losses[example] ?? NaN;
    if (Number.isNaN(key)) return this.#unknown.placeOf(this.#tied(example));
    return this.#unknown.length + this.#placeAmongKnown({ example, key });
  }

  exampleAt(place: number): number {
    const { ordering } = this.#rule;
    const placeAmongKnown = place - this.#unknown.length;
    if (placeAmongKnown < 0) return this.#unknown.exampleAt(place);
    if (ordering === 'random-curriculum') return this.#inAnyOrder.exampleAt(placeAmongKnown);
    if (ordering === 'curriculum') return this.#byLoss.exampleAt(placeAmongKnown);
    return this.#byLoss.exampleAt(this.known - 1 - placeAmongKnown);
  }

  /** Takes in losses; those that are not finite are left out. */
  tell(examples: ArrayLike<number>, losses: ArrayLike<number>): void {
    const latest = new Map<number, number>();
    for (let k = 0; k < examples.length; k++) {
      const [example, loss] = [examples[k] ?? 0, losses[k] ?? NaN];
      if (!Number.isFinite(loss)) continue;
      latest.set(example, loss);
      this.#toldAt[example] = this.#told;
      this.#told += 1;
    }
    for (let example = 0; example < this.size; example++) {
      if (this.#told - 1 - (this.#toldAt[example] ?? 0) < this.#rule.staleAfter) continue;
      if (Number.isNaN(this.#losses[example]) && !latest.has(example)) continue;
      latest.set(example, NaN);
      this.#toldAt[example] = 0;
    }
    this.#change(latest);
  }

  state(): LossCurriculumState {
    return {
      losses: Array.from(this.#losses, (loss) => (Number.isNaN(loss) ? null : loss)),
      toldAt: Array.from(this.#toldAt),
      told: this.#told,
    };
  }

  /** Gives examples other losses, `NaN` for none. */
  #change(losses: ReadonlyMap<number, number>): void {
    const before = [...losses.keys()].map((example) => ({ example, key: this.#losses[example] ?? NaN }));
    const after = [...losses].map(([example, key]) => ({ example, key }));
    const known = (items: readonly Keyed[]) => items.filter(({ key }) => !Number.isNaN(key));
    const unknown = (items: readonly Keyed[]) => items.filter(({ key }) => Number.isNaN(key));
    const tied = (items: readonly Keyed[]) => items.map(({ example }) => this.#tied(example));

    this.#unknown.update(tied(unknown(before)), tied(unknown(after)));
    this.#byLoss.update(known(before), known(after));
    if (this.#rule.ordering === 'random-curriculum')
      this.#inAnyOrder.update(tied(known(before)), tied(known(after)));
    for (const { example, key } of after) this.#losses[example] = key;
  }

  #placeAmongKnown(item: Keyed): number {
    const { ordering } = this.#rule;
    if (ordering === 'random-curriculum') return this.#inAnyOrder.placeOf(this.#tied(item.example));
    const place = this.#byLoss.placeOf(item);
    return ordering === 'curriculum' ? place : this.known - 1 - place;
  }

  /** An example by its place among equals. */
  #tied(example: number): Keyed {
    return { example, key: this.#tieBreak[example] ?? 0 };
  }
}

function requireState({ losses, toldAt }: LossCurriculumState, size: number): void {
  if (losses.length === size && toldAt.length === size) return;
  throw new RangeError(
    `The state has ${losses.length} losses and ${toldAt.length} times for ${size} examples; give the one of this sampler.`,
  );
}
