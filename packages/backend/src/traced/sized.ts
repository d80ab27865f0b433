import { valuesIn } from '../values-in.ts';
import {
  areEqual,
  differingConstants,
  FLOAT32,
  INT32,
  isDropoutNoise,
  type Program,
  type Roles,
} from './program.ts';
import type { ConstantTensor } from './recorder.ts';

/**
 * How a constant is given that follows from the number of examples: as it is, as a shape and the one value that fills
 * it, or as the shape of what is drawn.
 */
export type SizedForm = 'whole' | 'filled' | 'drawn';

/** A constant that follows from the number of examples. */
export interface SizedConstant {
  readonly form: SizedForm;
  /** The first constant that is always equal to it; it is given once. Its own index where it is the first. */
  readonly first: number;
}

/** By index. */
export type SizedConstants = ReadonlyMap<number, SizedConstant>;

/** As much is kept for one number of examples. */
const GIVEN_BYTES = 4 * 2 ** 20;

/**
 * The constants that follow from the number of examples, from the programs of the same work on two such numbers;
 * undefined where TensorFlow is asked for something else.
 */
export function sizedConstants(
  program: Program,
  fewer: Program,
  drawn: readonly number[],
): SizedConstants | undefined {
  const differing = differingConstants(program, fewer, { shapes: 'any' });
  if (typeof differing === 'string') return undefined;
  const sized = new Map<number, SizedConstant>();
  for (const index of new Set([...differing, ...drawn])) {
    const [one, other] = [program.constants[index], fewer.constants[index]];
    if (!one || !other) return undefined;
    if (drawn.includes(index)) {
      if (!isDropoutNoise(fewer, index)) return undefined;
      sized.set(index, { form: 'drawn', first: index });
    } else {
      const isEqual = (it: number): boolean =>
        areEqual(program.constants[it], one) && areEqual(fewer.constants[it], other);
      const first = [...sized.keys()].find((it) => sized.get(it)?.form !== 'drawn' && isEqual(it));
      const form = isFilled(one) && isFilled(other) ? 'filled' : 'whole';
      sized.set(index, { form, first: first ?? index });
    }
  }
  return sized;
}

/**
 * Whether `seen` is the program at another number of examples, so that one graph serves both. Constants
 * that follow from that number may be anything; all others are the same.
 */
export function differsInSizeOnly(
  { program, roles: { drawn, sized, fed } }: { readonly program: Program; readonly roles: Roles },
  seen: Program,
): boolean {
  const differing = differingConstants(program, seen, { shapes: 'any' });
  if (typeof differing === 'string') return false;
  return (
    differing.every((index) => sized.has(index) || fed.has(index)) &&
    drawn.every((index) => isDropoutNoise(seen, index)) &&
    [...sized].every(
      ([index, { form, first }]) =>
        (form !== 'filled' || isFilled(seen.constants[index])) &&
        areEqual(seen.constants[index], seen.constants[first]),
    )
  );
}

/** What is given to the graph for them, in their order; undefined where that is too much to keep. */
export function sizedTensors({ constants }: Program, sized: SizedConstants): ConstantTensor[] | undefined {
  const given: ConstantTensor[] = [];
  for (const { index, form } of givenConstants(sized)) {
    const constant = constants[index];
    if (!constant) return undefined;
    if (form === 'whole') given.push(whole(constant));
    else given.push(shapeOf(constant));
    if (form === 'filled') given.push({ ...constant, shape: [], values: constant.values.slice(0, 1) });
  }
  const bytes = given.reduce((sum, { values }) => sum + values.byteLength, 0);
  return bytes <= GIVEN_BYTES ? given : undefined;
}

/** Those that are given, in their order. */
export const givenConstants = (
  sized: SizedConstants,
): readonly { readonly index: number; readonly form: SizedForm }[] =>
  [...sized].flatMap(([index, { form, first }]) => (first === index ? [{ index, form }] : []));

const shapeOf = ({ shape }: ConstantTensor): ConstantTensor => ({
  dtype: INT32,
  shape: [shape.length],
  values: Int32Array.from(shape),
});

/** Many of the same value. */
function isFilled(constant: ConstantTensor | undefined): boolean {
  if (constant?.dtype !== FLOAT32 || valuesIn(constant.shape) < 2) return false;
  return constant.values.every((value) => value === constant.values[0]);
}

function whole(constant: ConstantTensor): ConstantTensor {
  const size = valuesIn(constant.shape);
  if (constant.values.length === size) return constant;
  const { values } = constant;
  const all = new (values.constructor as new (length: number) => typeof values)(size);
  return { ...constant, values: all.fill(values[0] ?? 0) };
}
