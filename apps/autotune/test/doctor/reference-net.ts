/**
 * The probe's task in double precision and plain loops, without TensorFlow.js and without the program's own formulas. All
 * images are [row][column][channel] in one array.
 */
interface Plane {
  readonly side: number;
  readonly channels: number;
  readonly data: Float64Array;
}

interface Weights {
  readonly convolutions: readonly Float64Array[];
  readonly biases: readonly Float64Array[];
  readonly dense: Float64Array;
  readonly denseBias: Float64Array;
}

const SIDE = 28;
const CLASSES = 10;
const EXAMPLES = 16;
const FLAT = 7 * 7 * 16;

const fraction = (x: number): number => x - Math.floor(x);
const weyl = (i: number, irrational: number): number => Math.fround(2 * fraction((i + 1) * irrational) - 1);
const zeros = (length: number): Float64Array => new Float64Array(length);

function initialWeights(): Weights {
  const kernel = (size: number, [limit, irrational]: [number, number]): Float64Array =>
    Float64Array.from({ length: size }, (_, i) => Math.fround(weyl(i, irrational) * limit));
  return {
    convolutions: [
      kernel(3 * 3 * 1 * 8, [Math.sqrt(6 / (9 + 72)), Math.sqrt(3)]),
      kernel(3 * 3 * 8 * 16, [Math.sqrt(6 / (72 + 144)), Math.sqrt(5)]),
    ],
    biases: [zeros(8), zeros(16)],
    dense: kernel(FLAT * CLASSES, [Math.sqrt(6 / (FLAT + CLASSES)), Math.sqrt(7)]),
    denseBias: zeros(CLASSES),
  };
}

function image(example: number): Plane {
  const data = Float64Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const noise = weyl(example * SIDE * SIDE + pixel, Math.SQRT2);
    return Math.fround(0.5 + 0.4 * Math.sin((((example % CLASSES) + 1) * pixel) / 40) + 0.1 * noise);
  });
  return { side: SIDE, channels: 1, data };
}

/** Calls `visit(input index, kernel index, output index)` for each product of a convolution of 3 × 3 with a border of 0. */
function eachProduct(
  { side, channels }: Plane,
  outputs: number,
  visit: (input: number, kernel: number, output: number) => void,
): void {
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1)
      for (let ky = 0; ky < 3; ky += 1)
        for (let kx = 0; kx < 3; kx += 1) {
          const [row, column] = [y + ky - 1, x + kx - 1];
          if (row < 0 || row >= side || column < 0 || column >= side) continue;
          for (let c = 0; c < channels; c += 1)
            for (let o = 0; o < outputs; o += 1)
              visit(
                (row * side + column) * channels + c,
                ((ky * 3 + kx) * channels + c) * outputs + o,
                (y * side + x) * outputs + o,
              );
        }
}

const at = (values: Float64Array, i: number): number => values[i] ?? NaN;
const add = (values: Float64Array, i: number, value: number): void =>
  void (values[i] = at(values, i) + value);

function convolved(input: Plane, kernel: Float64Array, bias: Float64Array): Plane {
  const channels = bias.length;
  const data = Float64Array.from({ length: input.side ** 2 * channels }, (_, i) => at(bias, i % channels));
  eachProduct(input, channels, (i, k, o) => add(data, o, at(input.data, i) * at(kernel, k)));
  return { side: input.side, channels, data: data.map((value) => Math.max(0, value)) };
}

/** The largest of each 2 × 2, and where it was. */
function pooled({ side, channels, data }: Plane): { plane: Plane; from: number[] } {
  const half = side / 2;
  const from: number[] = [];
  for (let y = 0; y < half; y += 1)
    for (let x = 0; x < half; x += 1)
      for (let c = 0; c < channels; c += 1) {
        const corner = (2 * y * side + 2 * x) * channels + c;
        const four = [corner, corner + channels, corner + side * channels, corner + (side + 1) * channels];
        from.push(four.reduce((best, i) => (at(data, i) > at(data, best) ? i : best)));
      }
  return { plane: { side: half, channels, data: Float64Array.from(from, (i) => at(data, i)) }, from };
}

/** Loss of one example; its gradient is added to `gradient`. */
function learn(example: number, weights: Weights, gradient: Weights): number {
  const layers: { input: Plane; output: Plane; from: number[] }[] = [];
  let plane = image(example);
  weights.convolutions.forEach((kernel, layer) => {
    const output = convolved(plane, kernel, weights.biases[layer] ?? zeros(0));
    const { plane: next, from } = pooled(output);
    layers.push({ input: plane, output, from });
    plane = next;
  });
  const logits = Float64Array.from(weights.denseBias);
  plane.data.forEach((value, i) => {
    for (let k = 0; k < CLASSES; k += 1) add(logits, k, value * at(weights.dense, i * CLASSES + k));
  });
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const target = example % CLASSES;
  const error = logits.map((logit, k) => (Math.exp(logit) / total - (k === target ? 1 : 0)) / EXAMPLES);

  let back = zeros(FLAT);
  error.forEach((value, k) => {
    add(gradient.denseBias, k, value);
    for (let i = 0; i < FLAT; i += 1) {
      add(gradient.dense, i * CLASSES + k, value * at(plane.data, i));
      add(back, i, value * at(weights.dense, i * CLASSES + k));
    }
  });
  for (const [layer, { input, output, from }] of [...layers.entries()].reverse()) {
    const error = zeros(output.data.length);
    from.forEach((position, i) => add(error, position, at(output.data, position) > 0 ? at(back, i) : 0));
    error.forEach((value, i) => add(gradient.biases[layer] ?? zeros(0), i % output.channels, value));
    const before = zeros(input.data.length);
    const [kernel, kernelGradient] = [weights.convolutions[layer], gradient.convolutions[layer]];
    if (!kernel || !kernelGradient) throw new Error('no such layer');
    eachProduct(input, output.channels, (i, k, o) => {
      add(kernelGradient, k, at(error, o) * at(input.data, i));
      add(before, i, at(error, o) * at(kernel, k));
    });
    back = before;
  }
  return Math.log(total) - at(logits, target);
}

const all = ({ convolutions, biases, dense, denseBias }: Weights): Float64Array[] => [
  ...convolutions,
  ...biases,
  dense,
  denseBias,
];

/**
 * Mean losses of the first steps, each before its update, of descent at 0.3 with momentum 0.9.
 * @param fault what each gradient is multiplied by
 */
export function referenceLosses(steps: number, fault = 1): number[] {
  const weights = initialWeights();
  const velocity = all(weights).map(({ length }) => zeros(length));
  return Array.from({ length: steps }, () => {
    const gradient: Weights = {
      convolutions: weights.convolutions.map(({ length }) => zeros(length)),
      biases: weights.biases.map(({ length }) => zeros(length)),
      dense: zeros(weights.dense.length),
      denseBias: zeros(CLASSES),
    };
    let loss = 0;
    for (let example = 0; example < EXAMPLES; example += 1)
      loss += learn(example, weights, gradient) / EXAMPLES;
    all(weights).forEach((values, tensor) => {
      const [speed, slope] = [velocity[tensor] ?? zeros(0), all(gradient)[tensor] ?? zeros(0)];
      values.forEach((value, i) => {
        speed[i] = 0.9 * at(speed, i) + fault * at(slope, i);
        values[i] = value - 0.3 * at(speed, i);
      });
    });
    return loss;
  });
}
