import { expect, it } from 'vitest';
import { addCounts, countLine, countTests } from '../../tools/test/counts.mjs';

const report = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
};
const broken = { status: 'failed', assertionResults: [] };
const failing = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };

it('prints the count, with the skipped ones only if there are any', () => {
  expect(countLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(countLine({ passed: 12, failed: 3, skipped: 1 })).toBe('12 passed, 3 failed, 1 skipped');
});

it('adds counts', () => {
  const sum = addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 });
  expect(sum).toEqual({ passed: 11, failed: 22, skipped: 33 });
});

it('counts tests', () => {
  expect(countTests({ ...report, numPendingTests: 2, numTodoTests: 1 }, 0)).toEqual({
    passed: 5,
    failed: 0,
    skipped: 3,
  });
  expect(countTests({ ...report, numFailedTests: 1, testResults: [failing] }, 1)).toEqual({
    passed: 5,
    failed: 1,
    skipped: 0,
  });
});

it('counts a file that could not be loaded as one failure', () => {
  const counts = countTests({ ...report, numFailedTests: 1, testResults: [failing, broken, broken] }, 1);
  expect(counts).toEqual({ passed: 5, failed: 3, skipped: 0 });
});

it('counts what no test explains as one failure', () => {
  expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countTests(report, 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
  expect(countTests({ ...report, numPassedTests: 0, testResults: [] }, 0)).toEqual({
    passed: 0,
    failed: 1,
    skipped: 0,
  });
});
