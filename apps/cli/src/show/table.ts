import Table from 'cli-table3';

/** A table without lines, as command-line users expect it. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const chars = Object.fromEntries(['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'].map((name) => [name, '']));
  const made = new Table({ head: [...head], chars: { ...chars, middle: '  ' }, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
  made.push(...rows.map((row) => [...row]));
  return made.toString().replaceAll(/ +$/gm, '');
};
