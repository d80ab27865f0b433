import { loadEngine, type LayersTf } from '../../src/node/index.ts';
import type { Tensor } from '../../src/tf.ts';
import type { TensorWork } from '../../src/traced/tensor-work.ts';
import { Tracer, type TraceEvent } from '../../src/traced/tracer.ts';
import { FakeNative } from './fake-native.ts';

/** A tracer on a stand-in for TensorFlow, with work for it. */
export class Bench {
  readonly tf: LayersTf;
  readonly native: FakeNative;
  readonly tracer: Tracer;
  readonly events: TraceEvent[] = [];
  x: Tensor;

  constructor(tf: LayersTf, { foresees = false } = {}) {
    this.tf = tf;
    this.native = new FakeNative(tf);
    this.tracer = new Tracer(tf, this.native, {
      refusal: (part) => (part === 'update' ? 'as the test says' : undefined),
      foresees,
      onEvent: (event) => this.events.push(event),
    });
    this.x = tf.tensor([1, 2, 3]);
  }

  static async open(options: { readonly foresees?: boolean } = {}): Promise<Bench> {
    return new Bench((await loadEngine('cpu')).tf, options);
  }

  /** 3x + 1, unless said otherwise. */
  work(given: Partial<TensorWork> = {}): TensorWork {
    const { native, x } = this;
    return {
      part: 'gradient',
      key: '3',
      inputs: [x],
      tolerance: 1e-6,
      compute: () => [native.op('Add', native.op('Mul', x, native.constant([3])), native.constant([1]))],
      ...given,
    };
  }

  /** What was asked for by one more run of `it`, and the values of each result; the results are freed. */
  run(it: TensorWork) {
    this.native.asked.length = 0;
    const results = this.tracer.run(it);
    const values = results.map((tensor) => tensor && [...tensor.dataSync()]);
    this.tf.dispose(results.filter((tensor) => tensor !== null));
    return { values, asked: [...this.native.asked] };
  }
}
