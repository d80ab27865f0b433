import { fileURLToPath } from 'node:url';

/** Path of a file that is shipped beside the code: `src` and `dist` are equally deep. */
export const assetPath = (name: string): string =>
  fileURLToPath(new URL(`../assets/${name}`, import.meta.url));
