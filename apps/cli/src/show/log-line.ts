/** Pino's numbers; what is `info` needs no word. */
const LEVELS: Readonly<Record<number, string>> = { 10: 'trace ', 20: 'debug ', 40: 'warning: ', 50: 'error: ', 60: 'fatal: ' };

interface LogLine {
  readonly level: number;
  readonly time: string;
  readonly msg: string;
  readonly workflowId?: string;
  readonly source?: string;
  readonly [field: string]: unknown;
}

/** A line of the server's JSON log for a person; whatever else comes is passed on as it is. */
export const logLine = (line: string): string => {
  const parsed = parse(line);
  if (!parsed) return line;
  const { level, time, msg, workflowId, source, tenant: _tenant, runId: _runId, ...fields } = parsed;
  const where = workflowId === undefined ? 'server' : `${source === 'workflow' ? '' : 'server, '}"${workflowId}"`;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${time.slice(11, 19)} ${where}: ${LEVELS[level] ?? ''}${msg}${rest.join('')}`;
};

const parse = (line: string): LogLine | undefined => {
  try {
    const value = JSON.parse(line) as Partial<LogLine> | null;
    return typeof value?.level === 'number' && typeof value.time === 'string' && typeof value.msg === 'string' ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
};
