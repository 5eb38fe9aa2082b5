/** What a table that goes by prefixes has for a path: the first that fits. */
export const byPrefix = (table: Readonly<Record<string, number>>, path: string): number | undefined => Object.entries(table).find(([prefix]) => path.startsWith(prefix))?.[1];
