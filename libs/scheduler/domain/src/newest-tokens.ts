import { parseToken } from './token.js';

/**
 * The newest token of each open task, as far as this life of the slice has handed it out. It outlives a batch that was taken back, after
 * which all else is as the rows say: a token that was superseded must not speak again because memory was rebuilt (§9).
 */
export class NewestTokens {
  readonly #byTask = new Map<string, string>();

  note(task: string, token: string): void {
    this.#byTask.set(task, token);
  }

  /** The task's closing is durable. */
  forget(task: string): void {
    this.#byTask.delete(task);
  }

  /** Whether another token is known to speak for the attempt. */
  isOlder(task: string, { token, attempt }: { readonly token: string; readonly attempt: number }): boolean {
    const newest = this.#byTask.get(task);
    return newest !== undefined && newest !== token && parseToken(newest)?.attempt === attempt;
  }
}
