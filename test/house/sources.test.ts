import { expect, it } from 'vitest';
import { isAny, isCallOf, isInstanceof, places } from './sources.ts';

const text = `// any x.next( instanceof
const a = 'any .next( instanceof';
const b: any = controller.next(a);
if (b instanceof Error) controller.recover?.(b as Record<string, any>);
next(b);
`;
const source = { path: 'x.ts', text };

it('finds code, not words', () => {
  expect(places(source, isAny)).toEqual(['x.ts:3', 'x.ts:4']);
  expect(places(source, isCallOf('next'))).toEqual(['x.ts:3']);
  expect(places(source, isCallOf('recover'))).toEqual(['x.ts:4']);
  expect(places(source, isInstanceof)).toEqual(['x.ts:4']);
});
