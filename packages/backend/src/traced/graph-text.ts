import { valuesIn } from '../values-in.ts';
import { INT32, type Program, type Roles, type Source } from './program.ts';
import type { Attribute, ConstantTensor } from './recorder.ts';
import { givenConstants, type SizedForm } from './sized.ts';

/** An input of a graph: TensorFlow's number of its type, and its shape, where −1 stands for any length. */
export interface InputSpec {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** A saved model in protobuf's text format, and the names of what goes in and out, separated by commas. */
export interface GraphText {
  readonly text: string;
  readonly inputNames: string;
  readonly outputNames: string;
  /** Of what is drawn anew in each run, unless it is given. */
  readonly drawnNames: string;
}

/** The version of the graph format: that of TensorFlow 2.9, which every later one reads. */
const PRODUCER = 1087;

/**
 * A program as a SavedModel (tensorflow/core/protobuf/saved_model.proto). The constants that are fed become inputs, in
 * their order, after those of the program, and then those that follow from the number of examples (`sizedTensors`).
 */
export function graphText(program: Program, inputs: readonly InputSpec[], roles: Roles): GraphText {
  const { fed, drawn, sized } = roles;
  const { nodes, constants, outputs } = program;
  const typeOf = (source: Source): number | undefined =>
    ({
      input: inputs[source.index]?.dtype,
      constant: constants[source.index]?.dtype,
      node: nodes[source.index]?.dtypes[source.from === 'node' ? source.output : 0],
    })[source.from];
  const lines = [
    ...inputs.map((input, i) => placeholder(`i${i}`, input)),
    ...constants.map((constant, i) => writerOf(i, roles)(`c${i}`, constant)),
    ...nodes.map(({ operation, attributes, inputs: sources }, i) =>
      node(`n${i}`, {
        operation,
        inputs: sources.map((source) => nameOf(source, roles)),
        attributes: attributes.map(attributeText),
      }),
    ),
    // A name of its own for each output: it may be an input, or two may be the same value.
    ...outputs.map((source, i) =>
      node(`o${i}`, {
        operation: 'Identity',
        inputs: [nameOf(source, roles)],
        attributes: [attr('T', `type: ${typeOf(source)}`)],
      }),
    ),
  ];
  const graph = `${lines.join('')}versions { producer: ${PRODUCER} }\n`;
  return {
    text: `saved_model_schema_version: 1\nmeta_graphs {\nmeta_info_def { tags: "serve" }\ngraph_def {\n${graph}}\n}\n`,
    inputNames: [
      ...inputs.map((_, i) => `i${i}:0`),
      ...namesOf(fed.keys()),
      ...givenConstants(sized).flatMap(({ index, form }) => SIZED_INPUTS[form](`c${index}`)),
    ].join(','),
    outputNames: outputs.map((_, i) => `o${i}:0`).join(','),
    drawnNames: namesOf(drawn).join(','),
  };
}

type WriteNode = (name: string, constant: ConstantTensor) => string;

function writerOf(index: number, { fed, drawn, sized }: Roles): WriteNode {
  const { form, first = index } = sized.get(index) ?? {};
  if (first !== index) return () => '';
  if (form === 'whole') return (name, { dtype }) => placeholder(name, { dtype });
  if (form === 'filled') return filledAsGiven;
  if (form === 'drawn') return (name, { dtype }) => shapeGiven(name) + drawnNode(name, dtype);
  if (fed.has(index)) return placeholder;
  return drawn.includes(index)
    ? (name, { dtype, shape }) => shapeNode(`${name}_shape`, shape) + drawnNode(name, dtype)
    : constantNode;
}

/** What is given for a constant that follows from the number of examples. */
const SIZED_INPUTS: Readonly<Record<SizedForm, (name: string) => readonly string[]>> = {
  whole: (name) => [`${name}:0`],
  filled: (name) => [`${name}_shape:0`, `${name}_value:0`],
  drawn: (name) => [`${name}_shape:0`],
};

const namesOf = (constants: Iterable<number>): string[] => Array.from(constants, (i) => `c${i}:0`);

interface NodeText {
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly attributes: readonly string[];
}

const node = (name: string, { operation, inputs, attributes }: NodeText): string =>
  `node { name: "${name}" op: "${operation}"${inputs.map((input) => ` input: "${input}"`).join('')}${attributes.join('')} }\n`;

const attr = (name: string, value: string): string => ` attr { key: "${name}" value { ${value} } }`;

const placeholder = (
  name: string,
  { dtype, shape }: Pick<InputSpec, 'dtype'> & Partial<Pick<InputSpec, 'shape'>>,
): string =>
  node(name, {
    operation: 'Placeholder',
    inputs: [],
    attributes: [
      attr('dtype', `type: ${dtype}`),
      attr('shape', `shape { ${shape ? shapeText(shape) : 'unknown_rank: true'} }`),
    ],
  });

function constantNode(name: string, { dtype, shape, values }: ConstantTensor): string {
  const size = valuesIn(shape);
  if (values.length === 1 && size > 1) return filledNode(name, { dtype, shape, values });
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const tensor = `dtype: ${dtype} tensor_shape { ${shapeText(shape)} } tensor_content: "${escaped(bytes)}"`;
  return node(name, {
    operation: 'Const',
    inputs: [],
    attributes: [attr('dtype', `type: ${dtype}`), attr('value', `tensor { ${tensor} }`)],
  });
}

/** Made when the graph runs, so that it takes no memory between. */
const filledNode: WriteNode = (name, { dtype, shape, values }) =>
  shapeNode(`${name}_shape`, shape) +
  constantNode(`${name}_value`, { dtype, shape: [], values }) +
  fillNode(name, dtype);

const filledAsGiven: WriteNode = (name, { dtype }) =>
  shapeGiven(name) + placeholder(`${name}_value`, { dtype, shape: [] }) + fillNode(name, dtype);

function fillNode(name: string, dtype: number): string {
  const attributes = [attr('T', `type: ${dtype}`), attr('index_type', `type: ${INT32}`)];
  return node(name, { operation: 'Fill', inputs: [`${name}_shape`, `${name}_value`], attributes });
}

const shapeGiven = (name: string): string => placeholder(`${name}_shape`, { dtype: INT32, shape: [-1] });

/** Seeds of 0 make TensorFlow take one of chance, as TensorFlow.js does. */
function drawnNode(name: string, dtype: number): string {
  const attributes = [
    attr('dtype', `type: ${dtype}`),
    attr('T', `type: ${INT32}`),
    attr('seed', 'i: 0'),
    attr('seed2', 'i: 0'),
  ];
  return node(name, { operation: 'RandomUniform', inputs: [`${name}_shape`], attributes });
}

const shapeNode = (name: string, shape: readonly number[]): string =>
  constantNode(name, { dtype: INT32, shape: [shape.length], values: Int32Array.from(shape) });

const shapeText = (shape: readonly number[]): string =>
  shape.map((length) => `dim { size: ${length} }`).join(' ');

function nameOf(source: Source, { sized }: Roles): string {
  if (source.from === 'node') return `n${source.index}:${source.output}`;
  return source.from === 'input' ? `i${source.index}` : `c${sized.get(source.index)?.first ?? source.index}`;
}

const FIELDS: Readonly<Record<Attribute['kind'], (value: unknown) => string>> = {
  type: (value) => `type: ${Number(value)}`,
  int: (value) => `i: ${Number(value)}`,
  float: (value) => `f: ${String(value).replace('Infinity', 'inf').replace('NaN', 'nan')}`,
  bool: (value) => `b: ${Boolean(value)}`,
  string: (value) => `s: "${escaped(new TextEncoder().encode(String(value)))}"`,
  shape: (value) => `shape { ${shapeText(value as readonly number[])} }`,
};

function attributeText({ name, kind, value }: Attribute): string {
  const isList = Array.isArray(value) && kind !== 'shape';
  const field = FIELDS[kind];
  return attr(name, isList ? `list { ${value.map(field).join(' ')} }` : field(value));
}

/** Each byte as `\ooo`. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, '0')}`);

const escaped = (bytes: Uint8Array): string => Array.from(bytes, (byte) => ESCAPES[byte]).join('');
