/** What was asked for on the command line makes no sense; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
