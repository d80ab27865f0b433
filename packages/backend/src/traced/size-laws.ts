import { FLOAT32 } from './program.ts';
import type { ConstantTensor } from './recorder.ts';

/** What is given to a graph for the constants that follow from the number of examples, seen at one such number. */
export interface SizedSample {
  readonly examples: number;
  readonly tensors: readonly ConstantTensor[];
}

/** A value at n examples: a + b n, or c / n. */
type Law =
  | { readonly kind: 'line'; readonly at0: number; readonly perExample: number }
  | { readonly kind: 'share'; readonly of: number };

interface TensorLaw {
  readonly like: ConstantTensor;
  /** One for each of its values. */
  readonly values: readonly Law[];
}

/** How all that is given follows from the number of examples. */
export interface SizeLaws {
  /** The fewest examples that were seen. Below, an axis of one may be another case. */
  readonly fewest: number;
  readonly tensors: readonly TensorLaw[];
}

/** Shapes and shares are few; a table of values is no law. */
const MOST_VALUES = 64;
/** Rounding of a float32 and of what it was computed from. */
const ROUNDING = 1e-6;

/** The laws that three samples agree on; undefined where one of the values follows none. */
export function sizeLaws(samples: readonly [SizedSample, SizedSample, SizedSample]): SizeLaws | undefined {
  const [first] = samples;
  if (samples.some(({ tensors }) => tensors.length !== first.tensors.length)) return undefined;
  const tensors = first.tensors.map((_, index) => tensorLaw(samples, index));
  const found = tensors.filter((law) => law !== undefined);
  const sizes = samples.map(({ examples }) => examples);
  const isWhole = found.length === tensors.length && new Set(sizes).size === sizes.length;
  return isWhole ? { fewest: Math.min(...sizes), tensors: found } : undefined;
}

/** What is to be given at that number of examples; undefined where no law reaches. */
export function tensorsAt({ fewest, tensors }: SizeLaws, examples: number): ConstantTensor[] | undefined {
  if (examples < fewest) return undefined;
  const given = tensors.map(({ like, values }) => {
    const numbers = values.map((law) => valueAt(law, examples));
    const isExact = like.dtype === FLOAT32 || numbers.every(Number.isInteger);
    return isExact ? { ...like, values: asIn(like, numbers) } : undefined;
  });
  const known = given.filter((tensor) => tensor !== undefined);
  return known.length === given.length ? known : undefined;
}

/** Whether the laws say what was seen at a number of examples; true below the fewest, of which they say nothing. */
export function holdsAt(laws: SizeLaws, { examples, tensors }: SizedSample): boolean {
  if (examples < laws.fewest) return true;
  const foretold = tensorsAt(laws, examples);
  return (
    foretold?.length === tensors.length &&
    foretold.every(({ dtype, shape, values }, index) => {
      const seen = tensors[index];
      const isAlike = seen?.dtype === dtype && String(seen.shape) === String(shape);
      return isAlike && seen.values.every((value, i) => isNear(values[i] ?? NaN, value, dtype));
    })
  );
}

const isNear = (foretold: number, seen: number, dtype: number): boolean =>
  Math.abs(foretold - seen) <= (dtype === FLOAT32 ? ROUNDING : 0) * Math.abs(seen);

function tensorLaw(samples: readonly SizedSample[], index: number): TensorLaw | undefined {
  const seen = samples.map(({ tensors }) => tensors[index]);
  const [like] = seen;
  if (!like || like.values.length > MOST_VALUES) return undefined;
  const isAlike = seen.every(
    (tensor) =>
      tensor?.dtype === like.dtype &&
      String(tensor.shape) === String(like.shape) &&
      tensor.values.length === like.values.length,
  );
  if (!isAlike) return undefined;
  const laws = Array.from(like.values, (_, i) =>
    lawOf(
      samples.map(({ examples }, at) => [examples, seen[at]?.values[i] ?? NaN] as const),
      like.dtype === FLOAT32 ? ROUNDING : 0,
    ),
  );
  const values = laws.filter((law) => law !== undefined);
  return values.length === laws.length ? { like, values } : undefined;
}

/** Of pairs of n and a value: the line through two of them, or the share, that all lie on. */
function lawOf(points: readonly (readonly [number, number])[], tolerance: number): Law | undefined {
  const [[n1, v1], [n2, v2]] = points as readonly [readonly [number, number], readonly [number, number]];
  const perExample = (v1 - v2) / (n1 - n2);
  const whole = v1 * n1;
  const nearest = Math.round(whole);
  const laws: readonly Law[] = [
    { kind: 'line', at0: v1 - perExample * n1, perExample },
    { kind: 'share', of: Math.abs(whole - nearest) <= ROUNDING * Math.abs(whole) ? nearest : whole },
  ];
  return laws.find((law) =>
    points.every(([n, value]) => Math.abs(valueAt(law, n) - value) <= tolerance * Math.abs(value)),
  );
}

const valueAt = (law: Law, examples: number): number =>
  law.kind === 'line' ? law.at0 + law.perExample * examples : law.of / examples;

function asIn({ values }: ConstantTensor, numbers: readonly number[]): ConstantTensor['values'] {
  return new (values.constructor as new (numbers: readonly number[]) => typeof values)(numbers);
}
