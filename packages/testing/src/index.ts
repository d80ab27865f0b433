export { chiSquare, chiSquareLimit } from './chi-square.ts';
export { describeBackend, type BackendFixture, type BackendSuiteOptions } from './describe-backend.ts';
export { describeController, type ControllerSuiteOptions } from './describe-controller.ts';
export { describeSampler, type SamplerSuite } from './describe-sampler.ts';
export { describeSource, type SourceSuite } from './describe-source.ts';
export { fakeClock, type FakeClock } from './fake-clock.ts';
export { expectNoLeak } from './leak.ts';
export { listSource } from './list-source.ts';
export { QuadraticBackend, type QuadraticOptions, type ScalarGradient } from './quadratic-backend.ts';
