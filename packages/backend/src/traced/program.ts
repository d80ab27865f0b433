import type { Attribute, ConstantTensor, RecordedOperation, Recording } from './recorder.ts';
import type { SizedConstants } from './sized.ts';

/** Where a value comes from. */
export type Source =
  | { readonly from: 'input' | 'constant'; readonly index: number }
  | { readonly from: 'node'; readonly index: number; readonly output: number };

/** One operation of a program. */
export interface ProgramNode {
  readonly operation: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Source[];
  /** TensorFlow's number of each output's type. */
  readonly dtypes: readonly number[];
}

/** A recording without the handles of the moment: the same work gives the same program each time. */
export interface Program {
  /** In the order in which they run; those that no output needs are left out. */
  readonly nodes: readonly ProgramNode[];
  readonly constants: readonly ConstantTensor[];
  readonly outputs: readonly Source[];
}

/** What goes into a program and what comes out, as handles. */
export interface Ends {
  readonly inputIds: readonly number[];
  readonly outputIds: readonly number[];
}

/** TensorFlow's numbers for float32 and int32. */
export const FLOAT32 = 1;
export const INT32 = 3;

/** The program of a recording, or why there is none. */
export function programOf(recording: Recording<unknown>, { inputIds, outputIds }: Ends): Program | string {
  if (recording.obstacle !== undefined) return recording.obstacle;
  if (new Set(inputIds).size < inputIds.length) return 'two of its inputs share their values';
  const needed = neededOperations(recording.operations, outputIds);
  const sources = new Map<number, Source>(inputIds.map((id, index) => [id, { from: 'input', index }]));
  needed.forEach(({ outputs }, index) =>
    outputs.forEach(({ id }, output) => sources.set(id, { from: 'node', index, output })),
  );
  const constants: ConstantTensor[] = [];
  let isForeign = false;
  const sourceOf = (id: number): Source => {
    const known = sources.get(id);
    if (known) return known;
    const constant = recording.constants.get(id);
    const source: Source = { from: 'constant', index: constants.length };
    if (constant) constants.push(constant);
    else isForeign = true;
    sources.set(id, source);
    return source;
  };
  const nodes = needed.map((operation) => plainProduct(operation, operation.inputIds.map(sourceOf)));
  const outputs = outputIds.map(sourceOf);
  if (isForeign) return 'it reads a tensor that is none of its inputs';
  return { nodes, constants, outputs };
}

/** Those that an output depends on, in the order in which they ran. */
function neededOperations(
  operations: readonly RecordedOperation[],
  outputIds: readonly number[],
): RecordedOperation[] {
  const needed = new Set(outputIds);
  return operations
    .toReversed()
    .filter(({ inputIds, outputs }) => {
      if (!outputs.some(({ id }) => needed.has(id))) return false;
      for (const id of inputIds) needed.add(id);
      return true;
    })
    .toReversed();
}

/** TensorFlow.js asks for a batched product of two matrices also where there is one of each; the plain one is faster. */
function plainProduct(
  { name, attributes, outputs }: RecordedOperation,
  inputs: readonly Source[],
): ProgramNode {
  const dtypes = outputs.map(({ dtype }) => dtype);
  const isPlain = name === 'BatchMatMulV2' && outputs[0]?.shape.length === 2 && dtypes[0] === FLOAT32;
  if (!isPlain) return { operation: name, attributes, inputs, dtypes };
  const NAMES: Readonly<Record<string, string>> = { adj_x: 'transpose_a', adj_y: 'transpose_b' };
  const renamed = attributes.map((attribute) => ({
    ...attribute,
    name: NAMES[attribute.name] ?? attribute.name,
  }));
  return { operation: 'MatMul', attributes: renamed, inputs, dtypes };
}

/**
 * The constants that differ between two recordings of the same work, or why it is not the same work. Where `shapes` may
 * be any, one that has another shape differs; otherwise the work does.
 */
export function differingConstants(
  first: Program,
  second: Program,
  { shapes }: { readonly shapes: 'same' | 'any' } = { shapes: 'same' },
): readonly number[] | string {
  const formOf = ({ nodes, outputs, constants }: Program): string =>
    JSON.stringify([
      nodes,
      outputs,
      constants.map(({ dtype, shape }) => [dtype, shapes === 'same' ? shape : null]),
    ]);
  if (formOf(first) !== formOf(second)) return 'it asks for other operations each time';
  return first.constants.flatMap((constant, index) =>
    areEqual(constant, second.constants[index]) ? [] : [index],
  );
}

/** Whether two constants are of one type, one shape and the same bytes. */
export const areEqual = (a: ConstantTensor | undefined, b: ConstantTensor | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.dtype === b.dtype &&
    String(a.shape) === String(b.shape) &&
    sameBytes(a.values, b.values));

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (b.byteLength !== a.byteLength) return false;
  const [left, right] = [a, b].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return left !== undefined && left.every((byte, i) => byte === right?.[i]);
}

/** A constant that is a number of the caller's, times 1 or −1. */
export interface Fed {
  readonly number: number;
  readonly sign: 1 | -1;
}

/** Which number each of the `differing` constants is; undefined where one of them is none. */
function fedConstants(
  programs: readonly [Program, Program],
  differing: readonly number[],
  numbers: readonly [readonly number[], readonly number[]],
): ReadonlyMap<number, Fed> | undefined {
  const fed = new Map<number, Fed>();
  for (const index of differing) {
    const [first, second] = programs.map(({ constants }) => scalarOf(constants[index]));
    const match = numbers[0].flatMap((number, i) =>
      ([1, -1] as const)
        .filter((sign) => {
          const other = numbers[1][i] ?? NaN;
          return first === Math.fround(sign * number) && second === Math.fround(sign * other);
        })
        .map((sign) => ({ number: i, sign })),
    )[0];
    if (!match) return undefined;
    fed.set(index, match);
  }
  return fed;
}

/** The constants of a program that are no constants. */
export interface Roles {
  /** Those that are numbers of the caller's. */
  readonly fed: ReadonlyMap<number, Fed>;
  /** Those that are drawn anew each time, evenly from 0 to 1. */
  readonly drawn: readonly number[];
  /** Those that follow from the number of examples; none where a graph is for one number only. */
  readonly sized: SizedConstants;
}

/**
 * What the constants are that differ between two recordings made with different `numbers`; undefined where one of them
 * is neither.
 */
export function rolesOf(
  programs: readonly [Program, Program],
  differing: readonly number[],
  numbers: readonly [readonly number[], readonly number[]],
): Omit<Roles, 'sized'> | undefined {
  const drawn = differing.filter((index) => programs.every((program) => isDropoutNoise(program, index)));
  const others = differing.filter((index) => !drawn.includes(index));
  const fed = fedConstants(programs, others, numbers);
  return fed && { fed, drawn };
}

/**
 * Whether a constant is the noise of dropout: as TensorFlow.js writes it, ⌊u + p⌋ with the share p that is kept, which
 * is 1 for a share p of all u from 0 to 1. Where noise goes any other way it is not known what it must be like.
 */
export function isDropoutNoise({ nodes, outputs, constants }: Program, index: number): boolean {
  const readersOf = (from: Source['from'], at: number): readonly ProgramNode[] =>
    nodes.filter(({ inputs }) => inputs.some((source) => source.from === from && source.index === at));
  const [sum, ...others] = readersOf('constant', index);
  if (!sum || others.length > 0 || !/^Add(V2)?$/.test(sum.operation)) return false;
  const position = nodes.indexOf(sum);
  const kept = sum.inputs.find((source) => source.from === 'constant' && source.index !== index);
  const share = scalarOf(constants[kept?.index ?? NaN]) ?? NaN;
  const isOutput = outputs.some((source) =>
    source.from === 'node' ? source.index === position : source.from === 'constant' && source.index === index,
  );
  const floors = readersOf('node', position);
  return (
    share > 0 &&
    share < 1 &&
    !isOutput &&
    floors.length > 0 &&
    floors.every(({ operation }) => operation === 'Floor') &&
    constants[index]?.dtype === FLOAT32 &&
    constants[index].values.every((value) => value >= 0 && value <= 1)
  );
}

/** Whether `seen`, recorded with these `numbers`, is the program: the same but for what differs each time. */
export function holdsFor(
  { program, fed, drawn }: Omit<Roles, 'sized'> & { readonly program: Program },
  seen: Program,
  numbers: readonly number[],
): boolean {
  const differing = differingConstants(program, seen);
  if (typeof differing === 'string') return false;
  return (
    differing.every((index) => fed.has(index) || drawn.includes(index)) &&
    [...fed].every(
      ([index, { number, sign }]) =>
        scalarOf(seen.constants[index]) === Math.fround(sign * (numbers[number] ?? NaN)),
    )
  );
}

function scalarOf(constant: ConstantTensor | undefined): number | undefined {
  if (constant?.dtype !== FLOAT32 || constant.values.length !== 1) return undefined;
  return constant.values[0];
}
