/** One direction of a window: where it begins for the first output position (at or before 0), and how far it reaches. */
export interface Axis {
  readonly inLength: number;
  readonly outLength: number;
  readonly filter: number;
  readonly stride: number;
  readonly before: number;
}

/** Depth, height and width. */
export type Axes = readonly [Axis, Axis, Axis];

/** What TensorFlow.js computes of a convolution or a pooling over images. */
interface PlaneInfo {
  readonly inHeight: number;
  readonly inWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly effectiveFilterHeight: number;
  readonly effectiveFilterWidth: number;
  readonly padInfo: { readonly top: number; readonly left: number };
}

/** The same over volumes. */
interface VolumeInfo extends PlaneInfo {
  readonly inDepth: number;
  readonly outDepth: number;
  readonly strideDepth: number;
  readonly effectiveFilterDepth: number;
  readonly padInfo: PlaneInfo['padInfo'] & { readonly front: number };
}

const FLAT: Axis = { inLength: 1, outLength: 1, filter: 1, stride: 1, before: 0 };

/** Of images: a depth of one. */
export const axesOfPlane = (info: PlaneInfo): Axes => [FLAT, ...rowsAndColumns(info)];

export const axesOfVolume = (info: VolumeInfo): Axes => [
  {
    inLength: info.inDepth,
    outLength: info.outDepth,
    filter: info.effectiveFilterDepth,
    stride: info.strideDepth,
    before: info.padInfo.front,
  },
  ...rowsAndColumns(info),
];

const rowsAndColumns = (info: PlaneInfo): [Axis, Axis] => [
  {
    inLength: info.inHeight,
    outLength: info.outHeight,
    filter: info.effectiveFilterHeight,
    stride: info.strideHeight,
    before: info.padInfo.top,
  },
  {
    inLength: info.inWidth,
    outLength: info.outWidth,
    filter: info.effectiveFilterWidth,
    stride: info.strideWidth,
    before: info.padInfo.left,
  },
];

/** Positions in one example. */
export const inputPositions = (axes: Axes): number => axes.reduce((size, { inLength }) => size * inLength, 1);

/** Of each output position, the input position that each filter position meets; −1 for the border. */
export function windowsOf([depth, height, width]: Axes): readonly Int32Array[] {
  const windows: Int32Array[] = [];
  for (let d = 0; d < depth.outLength; d += 1)
    for (let h = 0; h < height.outLength; h += 1)
      for (let w = 0; w < width.outLength; w += 1) {
        const met: number[] = [];
        for (const z of met1(depth, d))
          for (const y of met1(height, h))
            for (const x of met1(width, w))
              met.push(z < 0 || y < 0 || x < 0 ? -1 : (z * height.inLength + y) * width.inLength + x);
        windows.push(Int32Array.from(met));
      }
  return windows;
}

/** In one direction. */
function met1({ stride, before, filter, inLength }: Axis, output: number): number[] {
  const start = output * stride - before;
  return Array.from({ length: filter }, (_, i) => (start + i < inLength ? start + i : -1));
}
