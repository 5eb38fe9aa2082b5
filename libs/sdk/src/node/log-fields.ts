import { parseTraceparent, type RunKey, type TaskEnvelope } from '@perdure/contract';

/** What a line of the worker's log is about, by the field names that collectors of logs know. */
export interface WorkerLogFields extends RunKey {
  readonly activity: string;
  readonly trace_id?: string;
  readonly span_id?: string;
}

/** Takes the worker's lines; the second argument is there when a line is about an attempt. */
export type WorkerLog = (text: string, fields?: WorkerLogFields) => void;

export const logFieldsOf = ({ run, name, trace }: TaskEnvelope): WorkerLogFields => {
  const context = parseTraceparent(trace);
  return { ...run, activity: name, ...(context ? { trace_id: context.traceId, span_id: context.spanId } : {}) };
};
