import { describe, expect, it } from 'vitest';
import { agreement } from '../../src/traced/agreement.ts';
import { graphText } from '../../src/traced/graph-text.ts';
import { differingConstants, holdsFor, programOf, rolesOf, type Program } from '../../src/traced/program.ts';
import type { ConstantTensor, RecordedOperation, Recording } from '../../src/traced/recorder.ts';

const scalar = (value: number): ConstantTensor => ({ dtype: 1, shape: [], values: Float32Array.of(value) });

const operation = (
  name: string,
  inputIds: readonly number[],
  { id, shape = [2, 3], dtype = 1 }: { id: number; shape?: readonly number[]; dtype?: number },
): RecordedOperation => ({ name, attributes: [], inputIds, outputs: [{ id, shape, dtype }] });

const recording = (
  operations: readonly RecordedOperation[],
  constants: readonly (readonly [number, ConstantTensor])[] = [],
): Recording<null> => ({
  result: null,
  operations,
  constants: new Map(constants),
  obstacle: undefined,
});

/** The program, where there must be one. */
function program(...given: Parameters<typeof programOf>): Program {
  const found = programOf(...given);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

describe('programOf', () => {
  it('names values by where they come from, and leaves out what no result needs', () => {
    const seen = recording(
      [
        operation('Mul', [100, 101], { id: 5 }),
        operation('Sqrt', [5], { id: 6 }),
        operation('Add', [5, 102], { id: 7 }),
      ],
      [
        [101, scalar(2)],
        [102, scalar(3)],
      ],
    );
    expect(program(seen, { inputIds: [99, 100], outputIds: [7, 99] })).toEqual({
      nodes: [
        {
          operation: 'Mul',
          attributes: [],
          dtypes: [1],
          inputs: [
            { from: 'input', index: 1 },
            { from: 'constant', index: 0 },
          ],
        },
        {
          operation: 'Add',
          attributes: [],
          dtypes: [1],
          inputs: [
            { from: 'node', index: 0, output: 0 },
            { from: 'constant', index: 1 },
          ],
        },
      ],
      constants: [scalar(2), scalar(3)],
      outputs: [
        { from: 'node', index: 1, output: 0 },
        { from: 'input', index: 0 },
      ],
    });
  });

  it.each([
    [[2, 3], 1, 'MatMul', ['transpose_a', 'T']],
    [[4, 2, 3], 1, 'BatchMatMulV2', ['adj_x', 'T']],
    [[2, 3], 8, 'BatchMatMulV2', ['adj_x', 'T']],
  ] as const)('takes a product of shape %j and type %i for a %s', (shape, dtype, name, attributes) => {
    const product: RecordedOperation = {
      ...operation('BatchMatMulV2', [1, 2], { id: 3, shape, dtype }),
      attributes: [
        { name: 'adj_x', kind: 'bool', value: true },
        { name: 'T', kind: 'type', value: dtype },
      ],
    };
    const [node] = program(recording([product]), { inputIds: [1, 2], outputIds: [3] }).nodes;
    expect([node?.operation, node?.attributes.map((attribute) => attribute.name)]).toEqual([
      name,
      attributes,
    ]);
  });

  it('says what stands in the way', () => {
    const seen = recording([operation('Mul', [1, 2], { id: 3 })]);
    expect(programOf(seen, { inputIds: [1], outputIds: [3] })).toBe(
      'it reads a tensor that is none of its inputs',
    );
    expect(programOf(seen, { inputIds: [1, 1], outputIds: [3] })).toBe(
      'two of its inputs share their values',
    );
    expect(programOf({ ...seen, obstacle: 'planted' }, { inputIds: [1, 2], outputIds: [3] })).toBe('planted');
  });
});

/** x · constants[0], recorded with these constants. */
const product = (...constants: readonly ConstantTensor[]): Program => ({
  nodes: constants.map((_, index) => ({
    operation: 'Mul',
    attributes: [],
    dtypes: [1],
    inputs: [
      { from: 'input', index: 0 },
      { from: 'constant', index },
    ],
  })),
  constants,
  outputs: constants.map((_, index) => ({ from: 'node', index, output: 0 })),
});

describe('two recordings', () => {
  it('are compared by operations, shapes and bytes', () => {
    const first = product(scalar(1), scalar(2));
    expect(differingConstants(first, product(scalar(1), scalar(2)))).toEqual([]);
    expect(differingConstants(first, product(scalar(1), scalar(3)))).toEqual([1]);
    // −0 and 0 are not the same to a division.
    expect(differingConstants(product(scalar(0)), product(scalar(-0)))).toEqual([0]);
    const other = 'it asks for other operations each time';
    expect(differingConstants(first, product(scalar(1)))).toBe(other);
    expect(differingConstants(first, product(scalar(1), { ...scalar(2), shape: [1] }))).toBe(other);
    expect(differingConstants(first, { ...first, outputs: first.outputs.toReversed() })).toBe(other);
  });

  it('show which constants are numbers of the caller, with their sign', () => {
    const pair = [product(scalar(-0.1), scalar(5)), product(scalar(-0.05), scalar(7))] as const;
    expect(
      rolesOf(
        [...pair],
        [0, 1],
        [
          [5, 0.1],
          [7, 0.05],
        ],
      ),
    ).toEqual({
      fed: new Map([
        [0, { number: 1, sign: -1 }],
        [1, { number: 0, sign: 1 }],
      ]),
      drawn: [],
    });
    expect(rolesOf([...pair], [0, 1], [[0.1], [0.05]])).toBeUndefined();
    expect(rolesOf([...pair], [0], [[0.1], [0.06]])).toBeUndefined();
  });

  it('show whether work is still what it was', () => {
    const fed = new Map([[0, { number: 0, sign: -1 as const }]]);
    const before = { program: product(scalar(-0.1), scalar(5)), fed, drawn: [] };
    expect(holdsFor(before, product(scalar(-0.3), scalar(5)), [0.3])).toBe(true);
    expect(holdsFor(before, product(scalar(-0.3), scalar(5)), [0.4])).toBe(false);
    expect(holdsFor(before, product(scalar(-0.1), scalar(6)), [0.1])).toBe(false);
    expect(holdsFor(before, product(scalar(-0.1)), [0.1])).toBe(false);
  });
});

describe('noise', () => {
  /** ⌊noise + share⌋ by default. */
  function dropout({ noise = [0.2, 0.9], share = 0.7, then = 'Floor', first = 'AddV2' } = {}): Program {
    return program(
      recording(
        [operation(first, [1, 2], { id: 3 }), operation(then, [3], { id: 4 })],
        [
          [1, { dtype: 1, shape: [2], values: Float32Array.from(noise) }],
          [2, scalar(share)],
        ],
      ),
      { inputIds: [], outputIds: [4] },
    );
  }
  const drawnOf = (given: Parameters<typeof dropout>[0]) =>
    rolesOf([dropout(given), dropout(given)], [0], [[], []])?.drawn;

  it('is known by what dropout does with it, and by nothing else', () => {
    expect(drawnOf({})).toEqual([0]);
    expect(drawnOf({ first: 'Add' })).toEqual([0]);
    expect(drawnOf({ then: 'Round' })).toBeUndefined();
    expect(drawnOf({ first: 'Mul' })).toBeUndefined();
    expect(drawnOf({ share: 1.2 })).toBeUndefined();
    expect(drawnOf({ noise: [-0.2, 0.9] })).toBeUndefined();
    const { nodes, ...rest } = dropout();
    const leaked = {
      ...rest,
      nodes,
      outputs: [...rest.outputs, { from: 'node', index: 0, output: 0 } as const],
    };
    expect(rolesOf([leaked, leaked], [0], [[], []])).toBeUndefined();
  });
});

describe('graphText', () => {
  it('writes a saved model that TensorFlow reads', () => {
    const ones = { dtype: 1, shape: [2, 3], values: Float32Array.of(1) };
    const { text, ...names } = graphText(
      product(scalar(2), scalar(9), ones, scalar(0.5)),
      [{ dtype: 1, shape: [2, 3] }],
      { fed: new Map([[1, { number: 0, sign: 1 }]]), drawn: [3], sized: new Map() },
    );
    expect(names).toEqual({
      inputNames: 'i0:0,c1:0',
      outputNames: 'o0:0,o1:0,o2:0,o3:0',
      drawnNames: 'c3:0',
    });
    expect(text.split('\n').filter((line) => /name: "(i0|c|n2|o2)/.test(line))).toEqual([
      'node { name: "i0" op: "Placeholder" attr { key: "dtype" value { type: 1 } } attr { key: "shape" value { shape { dim { size: 2 } dim { size: 3 } } } } }',
      'node { name: "c0" op: "Const" attr { key: "dtype" value { type: 1 } } attr { key: "value" value { tensor { dtype: 1 tensor_shape {  } tensor_content: "\\000\\000\\000\\100" } } } }',
      'node { name: "c1" op: "Placeholder" attr { key: "dtype" value { type: 1 } } attr { key: "shape" value { shape {  } } } }',
      'node { name: "c2_shape" op: "Const" attr { key: "dtype" value { type: 3 } } attr { key: "value" value { tensor { dtype: 3 tensor_shape { dim { size: 2 } } tensor_content: "\\002\\000\\000\\000\\003\\000\\000\\000" } } } }',
      'node { name: "c2_value" op: "Const" attr { key: "dtype" value { type: 1 } } attr { key: "value" value { tensor { dtype: 1 tensor_shape {  } tensor_content: "\\000\\000\\200\\077" } } } }',
      'node { name: "c2" op: "Fill" input: "c2_shape" input: "c2_value" attr { key: "T" value { type: 1 } } attr { key: "index_type" value { type: 3 } } }',
      'node { name: "c3_shape" op: "Const" attr { key: "dtype" value { type: 3 } } attr { key: "value" value { tensor { dtype: 3 tensor_shape { dim { size: 0 } } tensor_content: "" } } } }',
      'node { name: "c3" op: "RandomUniform" input: "c3_shape" attr { key: "dtype" value { type: 1 } } attr { key: "T" value { type: 3 } } attr { key: "seed" value { i: 0 } } attr { key: "seed2" value { i: 0 } } }',
      'node { name: "n2" op: "Mul" input: "i0" input: "c2" }',
      'node { name: "o2" op: "Identity" input: "n2:0" attr { key: "T" value { type: 1 } } }',
    ]);
  });

  it('writes each kind of attribute, and lists of them', () => {
    const attributes = [
      { name: 'a', kind: 'int', value: [1, 2] },
      { name: 'b', kind: 'float', value: -1e-7 },
      { name: 'c', kind: 'bool', value: false },
      { name: 'd', kind: 'string', value: 'A"\n' },
      { name: 'e', kind: 'shape', value: [4] },
      { name: 'f', kind: 'type', value: [1, 3] },
      { name: 'g', kind: 'float', value: -Infinity },
    ] as const;
    const { text } = graphText(
      { nodes: [{ operation: 'Any', attributes, dtypes: [1], inputs: [] }], constants: [], outputs: [] },
      [],
      { fed: new Map(), drawn: [], sized: new Map() },
    );
    const fields = [...text.matchAll(/key: "(\w)" value { (.*?) } }/g)].map(
      ([, key, field]) => `${key} ${field}`,
    );
    expect(fields).toEqual([
      'a list { i: 1 i: 2',
      'b f: -1e-7',
      'c b: false',
      'd s: "\\101\\042\\012"',
      'e shape { dim { size: 4',
      'f list { type: 1 type: 3',
      'g f: -inf',
    ]);
  });
});

describe('agreement', () => {
  it.each([
    [[1, 100], [1.01, 100], 'agree'],
    [[1, 100], [1.011, 100], 'differ'],
    [[0, 0], [0, 0], 'agree'],
    [[0, 0], [0, 1e-9], 'differ'],
    [[1, 2], [1, NaN], 'differ'],
    [[1, 2], [1], 'differ'],
    [[1, Infinity], [1, Infinity], 'unknown'],
  ] as const)('of %j with %j, to 1e-4 of the largest: %s', (right, tried, expected) => {
    expect(agreement(right, tried, 1.0001e-4)).toBe(expected);
  });
});
