/// A command line that cannot be meant; the message is a sentence for the user.
export class UsageError extends Error {
  override name = 'UsageError';
}
