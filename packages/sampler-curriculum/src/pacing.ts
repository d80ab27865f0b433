import { requireNumber, requirePositive } from './require-number.ts';
import { requireInteger } from '@batchwise/sampler';

/**
 * How much of the data is let in as training goes on. Time is counted in examples, since a step may hold any number of
 * them. Choose it so that all data is in after at most half of the run.
 */
export interface Pacing {
  /** What `at` bounds: the share of the examples that is let in, 0 to 1, or the difficulty up to which they are. */
  readonly limits: 'share' | 'difficulty';
  /** The bound after so many examples, 0 for the first one. It does not fall, and is never `NaN`. */
  at(examples: number): number;
}

/** What decides a `competence`. */
export interface CompetenceOptions {
  /** Examples until all data is let in: T. */
  readonly examples: number;
  /** The share to begin with, above 0 up to 1: c₀. Default 0.01. */
  readonly initial?: number;
  /** 1 grows by the same share each time, 2 (default) as a square root: new examples get as much time as earlier ones. */
  readonly root?: number;
}

/**
 * c(t) = min(1, (t (1 − c₀ᵖ) / T + c₀ᵖ)^(1/p)), with p the root (Platanios et al., "Competence-based curriculum learning
 * for neural machine translation", NAACL 2019, equations 6 and 7 for p = 1 and 2).
 * @throws RangeError when an option is out of its range
 */
export function competence({ examples, initial = 0.01, root = 2 }: CompetenceOptions): Pacing {
  requirePositive('examples', examples);
  requirePositive('root', root);
  if (!(initial > 0 && initial <= 1))
    throw new RangeError(`initial is ${initial}; give a share above 0, up to 1.`);
  const start = initial ** root;
  return {
    limits: 'share',
    at: (t) => (t >= examples ? 1 : Math.min(1, ((t * (1 - start)) / examples + start) ** (1 / root))),
  };
}

/** What decides `babySteps`. */
export interface BabyStepsOptions {
  /** Parts of equal size into which the data falls by difficulty. */
  readonly buckets: number;
  /** Examples after which the next part joins those before it. */
  readonly examplesPerBucket: number;
}

/**
 * Cumulative parts: the easiest one first, joined by the next one each time (Spitkovsky, Alshawi and Jurafsky, "From baby
 * steps to leapfrog", NAACL 2010, who go on when a part has converged; here the time is fixed).
 * @throws RangeError when an option is out of its range
 */
export function babySteps({ buckets, examplesPerBucket }: BabyStepsOptions): Pacing {
  requireInteger('buckets', buckets, { from: 1 });
  requirePositive('examplesPerBucket', examplesPerBucket);
  return { limits: 'share', at: (t) => Math.min(1, (1 + Math.floor(t / examplesPerBucket)) / buckets) };
}

/** What decides a `selfPaced`. */
export interface SelfPacedOptions {
  /** The loss up to which examples are let in at first: λ, 1/K in the paper. Half of the data should lie below it. */
  readonly threshold: number;
  /** Examples after which the threshold grows. */
  readonly every: number;
  /** The factor it grows by, above 1: μ. Default 1.3. */
  readonly growth?: number;
}

/**
 * λ(t) = λ₀ μ^⌊t / every⌋, for losses of 0 or more (Kumar, Packer and Koller, "Self-paced learning for latent variable
 * models", NIPS 2010, whose iterations are stretches of `every` examples here).
 * @throws RangeError when an option is out of its range
 */
export function selfPaced({ threshold, every, growth = 1.3 }: SelfPacedOptions): Pacing {
  requirePositive('threshold', threshold);
  requirePositive('every', every);
  requireNumber('growth', growth, { above: 1 });
  return { limits: 'difficulty', at: (t) => threshold * growth ** Math.floor(t / every) };
}
