import { describe, expect, it } from 'vitest';
import { DataError, reasonOf } from '../src/data-error.ts';

describe('DataError', () => {
  it('carries code, hint and cause, and the hint in its message', () => {
    const cause = new Error('disk');
    const error = new DataError('malformedFile', 'The file is bad.', { hint: 'Fetch it again.', cause });
    expect(error).toMatchObject({ name: 'DataError', code: 'malformedFile', hint: 'Fetch it again.', cause });
    expect(error.message).toBe('The file is bad. Fetch it again.');
    const bare = new DataError('missingFile', 'Gone.');
    expect([bare.message, bare.hint, bare.cause]).toEqual(['Gone.', '', undefined]);
  });
});

describe('reasonOf', () => {
  it('digs out what the network said', () => {
    const network = new Error('getaddrinfo ENOTFOUND host');
    expect(reasonOf(new TypeError('fetch failed', { cause: network }))).toBe('getaddrinfo ENOTFOUND host');
    const both = new AggregateError([new Error('connect ECONNREFUSED ::1'), new Error('other')], '');
    expect(reasonOf(new TypeError('fetch failed', { cause: both }))).toBe('connect ECONNREFUSED ::1');
  });

  it('keeps to one line, and to our own words where there are some', () => {
    expect(reasonOf(new Error('one\ntwo'))).toBe('one');
    expect(reasonOf(new RangeError(''))).toBe('RangeError');
    expect(reasonOf('text')).toBe('text');
    expect(reasonOf(new DataError('missingFile', 'ours', { cause: new Error('theirs') }))).toBe('ours');
  });
});
