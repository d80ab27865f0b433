import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startVitest } from 'vitest/node';

const here = fileURLToPath(new URL('planted', import.meta.url));
const conditions = ['@batchwise/source', 'node', 'import', 'default'];

/** Which checks of the suites failed, by the plug that they were run on. */
async function failuresOfPlanted(): Promise<Map<string, string[]>> {
  const vitest = await startVitest(
    'test',
    [],
    { root: here, config: false, watch: false, reporters: [{}], include: ['wrong-*.ts'] },
    { resolve: { conditions }, ssr: { resolve: { conditions } } },
  );
  const failures = new Map<string, string[]>();
  for (const module of vitest.state.getTestModules())
    for (const suite of module.children.suites())
      failures.set(
        suite.name.replace(/ keeps the contract.*/, ''),
        [...suite.children.tests('failed')].map(({ name }) => name),
      );
  await vitest.close();
  // What failed there was meant to.
  process.exitCode = 0;
  return failures;
}

describe('a plug that breaks its contract is caught', () => {
  let failures: Map<string, string[]>;
  beforeAll(async () => {
    failures = await failuresOfPlanted();
  });

  const expected: readonly (readonly [plug: string, check: string])[] = [
    ['hidden memory', 'keeps no memory outside its state'],
    ['state lost in JSON', 'decides the same after its state went through JSON'],
    ['half an example', 'gives sound plans, each with a reason'],
    ['no reason', 'gives sound plans, each with a reason'],
    ['undeclared measurement', 'gives sound plans, each with a reason'],
    ['repeats an example', 'gives as many examples in an epoch as its size says'],
    ['ignores startAt', 'resumes anywhere in an epoch'],
    ['short in the middle', 'has an order that does not depend on how it is cut'],
    ['order depends on the cut', 'has an order that does not depend on how it is cut'],
    ['one cursor for all', 'can have two cursors open at once'],
    ['index outside its population', 'gives indices within its population'],
    ['shared memory', 'gives arrays that are the caller’s own'],
    [
      'independent draws of fewer examples',
      'has independent draws, as many as its own and of the same examples',
    ],
    [
      'independent draws that repeat an example',
      'has independent draws, as many as its own and of the same examples',
    ],
    ['takes half an example', 'refuses epochs, starts and counts that make no sense'],
    [
      'weights of another example',
      'gives importance weights that belong to their examples, however it is cut',
    ],
    ['state left behind', 'goes on from its state in the middle of an epoch as if it had not stopped'],
    ['learns by the batch', 'depends on what was observed and when, not on how the rest is cut'],
    ['learns by reading', 'learns only from what it is told: reading changes nothing'],
    [
      'hands out its own memory',
      'hands out a state that is JSON and a copy, and leaves the one it is given alone',
    ],
    ['learns from what is not finite', 'leaves out losses that are not finite'],
    [
      'takes in half of what it refuses',
      'refuses losses that belong to no example, and takes none of them in',
    ],
    ['wrong sum', 'averages micro-batches to the gradient and loss of the whole'],
    ['wrong dot', 'takes dot products that are symmetric and linear'],
    ['wrong leak', 'frees all that it handed out, also twice'],
    ['wrong uphill', 'lowers the loss along the gradient, and not at a scale of zero'],
    ['wrong split', 'splits a batch into consecutive parts, the last one smaller'],
    [
      'wrong snapshot',
      'goes back to a copy of the weights as if nothing had happened since, where it makes copies',
    ],
    ['wrong classify', 'takes an error that is not its own for none of its failures'],
  ];

  it.each(expected)('%s', (plug, check) => expect(failures.get(plug)).toContain(check));

  it('and none of those planted is missing from this list', () =>
    expect([...failures.keys()].sort()).toEqual(expected.map(([plug]) => plug).sort()));
});
