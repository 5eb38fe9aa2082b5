/** Lines up the cells under their headings: text to the left, numbers to the right. */
export const renderTable = (headings: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => (isNumeric(rows, column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd();
  return [line(headings), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
};

const isNumeric = (rows: readonly (readonly string[])[], column: number): boolean => rows.every((row) => /^$|^[\d.,]+\D{0,3}$|^-$/.test(row[column] ?? ''));

/** As many digits as say something: 1,234 · 56.7 · 8.90. */
export const showNumber = (value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value)) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 10 ? 1 : 2);
};
