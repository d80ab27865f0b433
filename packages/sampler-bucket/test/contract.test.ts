import { sequential, shuffled, withReplacement, type Json } from '@batchwise/sampler';
import { describeSampler } from '@batchwise/testing';
import { bucketed, type BucketedOptions } from '../src/index.ts';
import { learning, unevenLengths } from './support.ts';

const cases: Record<string, Omit<BucketedOptions, 'seed'>> = {
  'groups by examples': { group: { examples: 8 } },
  'groups by tokens, pools that do not divide': { group: { tokens: 130 }, poolSize: 19 },
  'one pool, one group': { group: { examples: 1000 }, poolSize: 1000 },
  'few lengths, longest anywhere': {
    group: { examples: 8 },
    padding: { toLengths: [16, 32, 64] },
    longestFirst: false,
  },
  'an order of one’s own': { group: { examples: 5 }, poolSize: 20, order: shuffled(57, { seed: 9 }) },
};
for (const [name, options] of Object.entries(cases))
  describeSampler(`bucketed, ${name},`, () => bucketed(unevenLengths(57), { seed: 3, ...options }));

describeSampler(
  'bucketed, over draws with replacement,',
  () =>
    bucketed(unevenLengths(40), {
      seed: 3,
      group: { examples: 4 },
      order: withReplacement(40, { seed: 2, size: 57 }),
    }),
  { eachOnce: false },
);

describeSampler('bucketed, over an order that learns,', (state?: Json) =>
  bucketed(unevenLengths(8), {
    seed: 3,
    group: { examples: 2 },
    poolSize: 4,
    order: learning(state as { last: number; loss: number } | undefined),
  }),
);

describeSampler('bucketed, a single example of a kind,', () =>
  bucketed([5, 5], { seed: 3, group: { examples: 1 }, order: sequential(2) }),
);
