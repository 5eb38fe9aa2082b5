/** Activities as they are given: modules (`import * as carrier from …`) or records of functions. */
export type ActivitySource = Readonly<Record<string, unknown>>;

export type ActivityFunction = (...args: unknown[]) => unknown;

/**
 * The functions of all sources by name; what is no function is left out.
 * @throws Error when two sources have the same name for different functions, or there is no function at all
 */
export const collectActivities = (sources: ActivitySource | readonly ActivitySource[]): ReadonlyMap<string, ActivityFunction> => {
  const found = new Map<string, ActivityFunction>();
  for (const source of [sources].flat() as ActivitySource[]) {
    for (const [name, value] of Object.entries(source)) {
      if (typeof value !== 'function') continue;
      const known = found.get(name);
      if (known && known !== value) throw new Error(`There are two activities named "${name}".`);
      found.set(name, value as ActivityFunction);
    }
  }
  if (found.size === 0) throw new Error('The worker has no activities: give it modules or records of functions.');
  return found;
};
