import { sequential, shuffled } from '@batchwise/sampler';
import { describeSampler } from '@batchwise/testing';
import {
  babySteps,
  competence,
  curriculum,
  fixedLinear,
  lossCurriculum,
  selfPaced,
  type LossCurriculumState,
} from '../src/index.ts';
import { range, scatteredScores } from './support.ts';

const difficulty = scatteredScores(57);
const repeats = { eachOnce: false };

for (const ordering of ['curriculum', 'anti-curriculum', 'random-curriculum'] as const) {
  const pacing = competence({ examples: 100 });
  describeSampler(
    `curriculum, ${ordering},`,
    () => curriculum(shuffled(57, { seed: 3 }), { difficulty, pacing, seed: 4, ordering }),
    repeats,
  );
  describeSampler(
    `lossCurriculum, ${ordering},`,
    (state?: LossCurriculumState) =>
      lossCurriculum(shuffled(57, { seed: 3 }), { pacing, seed: 4, ordering, staleAfter: 20, state }),
    repeats,
  );
}

describeSampler('curriculum, all let in,', () =>
  curriculum(shuffled(57, { seed: 3 }), {
    difficulty,
    pacing: babySteps({ buckets: 1, examplesPerBucket: 1 }),
    seed: 4,
  }),
);

describeSampler(
  'curriculum by length,',
  () =>
    curriculum(sequential(30), {
      difficulty: range(30),
      pacing: fixedLinear({ minDifficulty: 1, maxDifficulty: 29, totalExamples: 60, difficultyStep: 4 }),
      seed: 4,
    }),
  repeats,
);

describeSampler(
  'lossCurriculum, self-paced,',
  (state?: LossCurriculumState) =>
    lossCurriculum(sequential(9), { pacing: selfPaced({ threshold: 0.4, every: 9 }), seed: 4, state }),
  repeats,
);
