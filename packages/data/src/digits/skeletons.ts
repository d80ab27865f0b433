/** A point of a skeleton: x to the right, y downwards, both about 0 to 1 over the box of a digit. */
export interface SkeletonPoint {
  readonly x: number;
  readonly y: number;
  /** The pen turns sharply here; everywhere else the stroke is smooth. */
  readonly corner: boolean;
}

/** One movement of the pen. */
export interface Stroke {
  readonly points: readonly SkeletonPoint[];
  /** It ends where it began. */
  readonly closed: boolean;
}

/** One way of writing a digit. */
export type Skeleton = readonly Stroke[];

/**
 * For each digit its ways of being written. Points are `x,y` in hundredths of the box; `!` marks a corner, `o` at the
 * end closes the stroke, `/` lifts the pen.
 */
const HANDWRITING: readonly (readonly string[])[] = [
  [
    '50,3 25,15 17,50 25,85 50,97 75,85 83,50 75,15 o',
    '62,8 38,5 20,28 18,65 40,96 70,85 82,50 74,18 55,4 42,10',
  ],
  ['50,3 50,50 50,97', '32,25 52,3! 52,50 52,97', '30,25 52,3! 52,50 52,97 / 28,97 50,96 74,97'],
  [
    '22,25 40,5 68,8 76,30 60,55 38,75 20,95! 50,95 82,93',
    '22,22 45,4 73,14 72,40 50,68 28,90 17,87 24,76 42,82 62,95 85,88',
    '20,12 50,4 74,16 66,42 42,70 22,96! 50,97 80,97',
  ],
  [
    '22,15 48,3 74,16 68,38 44,48! 72,58 80,78 55,97 20,87',
    '22,6 50,6 75,6! 48,40! 76,52 78,80 50,97 20,88',
    '22,12 50,3 72,18 60,40 44,48 60,52 77,70 68,92 44,97 20,86',
  ],
  [
    '30,5 22,35 20,58! 50,60 85,56 / 66,10 64,50 62,97',
    '62,3 40,32 15,65! 50,66 88,64 / 62,3 63,50 62,97',
    '25,8 20,35 35,54 58,52 72,44 / 75,5 72,50 68,97',
  ],
  [
    '30,6 26,28 24,46! 50,38 76,54 74,82 48,97 18,88 / 30,6 55,6 80,4',
    '80,5 55,6 34,7! 30,25 27,45! 56,42 78,60 68,88 42,97 18,88',
    '76,8 45,5 28,20 36,40 62,52 74,72 58,94 22,92',
  ],
  [
    '68,5 42,20 24,50 22,78 42,97 70,92 78,70 60,54 38,60 25,75',
    '50,3 32,32 22,64 30,92 56,97 74,80 64,60 42,60 27,74',
    '74,14 55,4 34,18 22,50 24,82 48,97 72,86 72,64 50,54 28,66',
  ],
  [
    '18,8 50,7 82,6! 62,45 45,97',
    '18,8 50,7 82,6! 62,45 45,97 / 35,50 54,49 74,48',
    '18,22 22,8! 50,10 80,7! 60,40 50,70 48,97',
  ],
  [
    '50,3 28,17 36,38 62,56 76,78 50,97 24,78 38,56 64,38 72,17 o',
    '50,3 30,14 30,34 50,46 70,34 70,14 o / 50,46 24,58 24,84 50,97 76,84 76,58 o',
    '74,8 45,4 28,20 45,42 70,62 68,88 42,97 25,80 40,55 66,32 76,12',
  ],
  [
    '72,22 52,4 28,16 26,38 46,50 68,40 73,22 / 74,12 72,50 66,97',
    '72,20 50,4 28,18 30,42 54,48 72,25 75,50 70,78 50,97 26,90',
    '70,10 42,6 26,28 42,48 66,36 75,8! 70,50 60,97',
  ],
];

function strokeFrom(text: string): Stroke {
  const words = text.trim().split(' ');
  const points = words
    .filter((word) => word !== 'o')
    .map((word) => {
      const [x = 0, y = 0] = word.replace('!', '').split(',').map(Number);
      return { x: x / 100, y: y / 100, corner: word.endsWith('!') };
    });
  return { points, closed: words.at(-1) === 'o' };
}

/** The ways of writing each digit, by its value. */
export const SKELETONS: readonly (readonly Skeleton[])[] = HANDWRITING.map((ways) =>
  ways.map((way) => way.split('/').map(strokeFrom)),
);
