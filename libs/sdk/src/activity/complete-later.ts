/** How `completeLater` leaves the activity. */
export class CompleteLater extends Error {
  override readonly name = 'CompleteLater';
}

/**
 * Ends the activity's function but not its attempt: somebody completes it later by `client.complete(token, value)`, with
 * `activity().info.token`, within the start-to-close timeout.
 *
 * @example
 * export async function approve(request: Request): Promise<Decision> {
 *   await mail(request, { token: activity().info.token });
 *   return completeLater();
 * }
 */
export const completeLater = (): never => {
  throw new CompleteLater('The activity completes later, through the API.');
};
