import type { ReadText } from '../../src/node/proc-files.ts';

/** Files of a machine that is not this one. */
export const filesOf =
  (files: Readonly<Record<string, string>>): ReadText =>
  (path) =>
    Promise.resolve(files[path]);
