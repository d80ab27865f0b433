import { loadEngine } from '@batchwise/backend/node';
import { describeInjectedFailures } from './describe-injected-failures.ts';

describeInjectedFailures('wasm', {
  load: async () => (await loadEngine('wasm')).tf,
  trainings: 50,
  sameSums: 0,
});
