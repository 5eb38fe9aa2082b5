import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/** A frame's place: `file:line:column`, alone or in brackets, at the end of the line, as V8 and QuickJS write it. */
const PLACE = /(?<open>\()?(?<file>[^\s():]*):(?<line>\d+):(?<column>\d+)\)?$/;

/**
 * A stack with its places in the bundle's script replaced by `file:line:column` of the sources. Lines that do not lie in the script stay as they are.
 *
 * @param sourceMap the bundle's map, as JSON or parsed. Parse it with `new TraceMap` once where many stacks are mapped.
 */
export const mapStack = (stack: string, sourceMap: string | TraceMap): string => {
  const trace = typeof sourceMap === 'string' ? new TraceMap(sourceMap) : sourceMap;
  return stack.split('\n').map((line) => mapLine(line, trace)).join('\n');
};

const mapLine = (line: string, trace: TraceMap): string => {
  const { index = 0, groups: { open = '', file = '', line: row, column } = {} } = PLACE.exec(line) ?? {};
  // Files of the machine are no part of a bundle: its script has a bare name.
  if (row === undefined || /[/\\]/.test(file) || file.startsWith('node')) return line;
  const found = originalPositionFor(trace, { line: Number(row), column: Math.max(0, Number(column) - 1) });
  if (found.source === null) return line;
  return `${line.slice(0, index)}${open}${found.source}:${found.line}:${found.column + 1}${open === '' ? '' : ')'}`;
};
