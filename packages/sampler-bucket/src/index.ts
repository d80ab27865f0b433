export { bucketed, type BucketedCursor, type BucketedOptions, type BucketedSampler } from './bucketed.ts';
export type { GroupLimit } from './length-groups.ts';
export { padSequences, type PaddedSequences, type PadOptions } from './pad-sequences.ts';
export { type Padding } from './padding.ts';
export { paddingReport, type PaddingReport } from './padding-report.ts';
export type { TokenBatchOptions } from './token-budget.ts';
