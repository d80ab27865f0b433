// @ts-check
import { basename } from 'node:path';

/** Packages whose tests touch no engine: those of the pure layers, and what is built on them alone. */
const COMPUTING = /^(core|noise-scale|sampler.*|tuner)$/;

/**
 * Whether the tests of a workspace are plain computations, which need no native TensorFlow and can share a process.
 * @param {{ readonly folder: string }} workspace
 */
export const isComputing = ({ folder }) => COMPUTING.test(basename(folder));
