import { EngineUnavailable } from './engine.ts';

/** Where a copy of TensorFlow.js came from: the packages of this tree, or TensorFlow.js for Node with its own. */
type Copy = 'packages' | 'node';

const WHAT: Readonly<Record<Copy, string>> = {
  packages: 'wasm, webgpu and cpu',
  node: 'cuda and native',
};

let claimed: Copy | undefined;

/**
 * Two copies of TensorFlow.js in one process share one global engine without sharing layers: the second one's models
 * take the names, and its engine takes the tensors, of the first one's. So the first copy that loads is the only one.
 * @throws EngineUnavailable when another copy is loaded already
 */
export function claimProcess(copy: Copy): void {
  if (claimed !== undefined && claimed !== copy)
    throw new EngineUnavailable('another engine is loaded', {
      message:
        `An engine of ${WHAT[claimed]} is loaded in this process already; ` +
        `${WHAT[copy]} come with a TensorFlow.js of their own, and two of them would mix up their models`,
      hint: 'Load it in a process of its own.',
    });
  claimed = copy;
}

/** Gives the process back where nothing of the copy was kept. */
export function releaseProcess(copy: Copy): void {
  if (claimed === copy) claimed = undefined;
}
