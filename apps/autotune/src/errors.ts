/** True for errors that say to a user what is wrong and what to do; of others the stack is worth showing. */
const isMeantForUsers = (error: Error): boolean =>
  error instanceof RangeError || error instanceof TypeError
    ? !/^\w+ is not |undefined/.test(error.message)
    : 'code' in error;

/** An error as a user should see it. `BATCHWISE_DEBUG=1` adds where it came from. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return `batchwise: ${String(error)}`;
  const trace = process.env['BATCHWISE_DEBUG'] || !isMeantForUsers(error) ? `\n${error.stack ?? ''}` : '';
  return `batchwise: ${error.message}${trace}`;
}
