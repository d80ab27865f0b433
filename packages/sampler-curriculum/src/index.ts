export { curriculum, type CurriculumOptions, type PacedOptions } from './curriculum.ts';
export {
  fixedDiscrete,
  fixedLinear,
  fixedRoot,
  type DifficultyType,
  type FixedDiscreteOptions,
  type FixedLinearOptions,
  type FixedRootOptions,
} from './fixed-schedules.ts';
export { lossCurriculum, type LossCurriculumOptions } from './loss-curriculum.ts';
export type { LossCurriculumState } from './loss-ranking.ts';
export {
  babySteps,
  competence,
  selfPaced,
  type BabyStepsOptions,
  type CompetenceOptions,
  type Pacing,
  type SelfPacedOptions,
} from './pacing.ts';
export type { Ordering } from './ranking.ts';
