import { loadEngine } from '@batchwise/backend/node';
import { cacheDirectory } from '@batchwise/data';
import { nativeLocation } from '@batchwise/native';
import { memoryTrial, tfjsBackend } from '@batchwise/backend';
import { MODELS, makeModel, syntheticSource } from '../../bench/memory/models.mjs';
const { tf } = await loadEngine('native', { nativePaths: [nativeLocation(cacheDirectory(), 'cpu')?.entry] });
const model = makeModel(tf, process.argv[2]);
const backend = tfjsBackend(tf, model, { traced: false });
const log = []; let t0 = performance.now();
const spy = new Proxy(backend, { get(t, k) { const v = Reflect.get(t, k); if (typeof v !== 'function') return v; return (...a) => { const b = performance.now(); const r = v.apply(t, a); const done = () => log.push([k, (performance.now() - b).toFixed(1)]); if (r instanceof Promise) return r.then((x) => { done(); return x; }); done(); return r; }; } });
const mk = () => memoryTrial(tf, model, { source: syntheticSource(MODELS[process.argv[2]].input), backend: spy });
for (const ref of [process.argv[3] === 'nocanary' ? null : 16, 16]) { log.length = 0; t0 = performance.now(); await mk()({ batchSize: 32, referenceSize: ref, predictedPeakBytes: null }); console.log('total', (performance.now() - t0).toFixed(0), log.filter(([k, v]) => v > 0.5).map((x) => x.join(' ')).join(', ')); }
process.kill(process.pid, 'SIGKILL');
