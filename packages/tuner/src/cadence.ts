/** The share of those steps after which it is time for another look, and the most that looks may thin out. */
const SHARE = 0.1;
const THINNEST = 10;

/**
 * Steps from one look to the next, `steps` after sizes were last tried or changed: `least` at first, then a tenth of those steps, up to
 * ten times `least`. What is known changes ever more slowly, and a look can take a tenth of a step of a millisecond.
 */
export const lookEvery = (steps: number, least: number): number =>
  Math.min(THINNEST * least, Math.max(least, Math.floor(SHARE * steps)));
