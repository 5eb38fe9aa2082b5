/** A server or program that is not to be had or does not start. Its message is one line for a person to act on. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  /** The end of the log or of the output, for whoever wants more than the line. */
  readonly tail: string;

  constructor(message: string, options: { readonly tail?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.tail = options.tail ?? '';
  }
}
