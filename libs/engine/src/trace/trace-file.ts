import type { Json } from '@perdure/contract';

/**
 * A text trace: blocks of a command, `----` and its result, as in etcd/raft.
 *
 *     # What this block shows.
 *     signal name=hurry input={"by":2}
 *     > startTimer seq=1 durationMs=10
 *     ----
 *     2 signalReceived …
 *
 * Lines that begin with `>` script the realm: what the code asks for in the activation that the input leads to.
 */
export interface TraceBlock {
  /** Everything before `----`, as written. */
  readonly source: string;
  readonly name: string;
  readonly args: TraceArgs;
  readonly script: readonly string[];
  readonly expected: string;
}
export type TraceArgs = Readonly<Record<string, Json>>;

export function parseTrace(text: string): TraceBlock[] {
  return text.split(/\n\n+/).map((block) => block.trim()).filter((block) => block !== '').map(parseBlock);
}

export const formatTrace = (blocks: readonly TraceBlock[], results: readonly string[]): string =>
  blocks.map(({ source }, i) => `${source}\n----\n${results[i]}\n`).join('\n');

function parseBlock(block: string): TraceBlock {
  const [source = '', expected = ''] = block.split(/\n?----\n?/);
  const lines = source.split('\n').filter((line) => !line.startsWith('#'));
  const { name, args } = parseCommand(lines[0] ?? '');
  return { source, name, args, script: lines.slice(1).map((line) => line.trim()), expected: expected.trimEnd() };
}

/** `name key=value …`; a value is JSON or a bare word. */
export function parseCommand(line: string): { readonly name: string; readonly args: TraceArgs } {
  const [name = '', ...rest] = line.trim().split(' ');
  const args: Record<string, Json> = {};
  let text = rest.join(' ').trim();
  while (text !== '') {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new Error(`not key=value: ${text}`);
    const end = endOfValue(text, equals + 1);
    args[text.slice(0, equals)] = parseValue(text.slice(equals + 1, end));
    text = text.slice(end).trim();
  }
  return { name, args };
}

/** The first space outside of quotes and brackets. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let isQuoted = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') i += 1;
    else if (char === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if ('[{'.includes(char)) depth += 1;
    else if (']}'.includes(char)) depth -= 1;
    else if (char === ' ' && depth === 0) return i;
  }
  return text.length;
}

const parseValue = (text: string): Json => (/^[[{"\d-]|^(true|false|null)$/.test(text) ? (JSON.parse(text) as Json) : text);
