import { hash } from 'node:crypto';
import type { Input, InputOutcome, Json, ProblemData } from '@perdure/contract';

/** JSON with sorted keys: the same value in another order of keys is the same content. */
function canonicalJson(value: Json | undefined): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner)) ?? '';
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Hash of what an input asks for: not when, nor with what the server added on the way. */
export function contentOf(input: Input): string {
  return hash('sha256', canonicalJson(askedBy(input) as Json), 'base64url').slice(0, 22);
}

function askedBy(input: Input): readonly (Json | undefined)[] {
  const target = input.runId;
  switch (input.kind) {
    case 'start':
      return ['start', input.workflowType, input.input];
    case 'signal':
    case 'update':
      return [input.kind, target, input.name, input.input];
    case 'terminate':
      return [input.kind, target, input.compensate];
    case 'resume':
      return [input.kind, target, input.bundle, input.fail];
    default:
      return [input.kind, target];
  }
}

/** A start's id is most often its workflow id, so what its sender must hear of is the run. */
export const otherContent = (input: Input): ProblemData =>
  input.kind === 'start'
    ? { code: 'workflow-exists', detail: `"${input.workflowId}" was started with another type or input under the same start id.` }
    : { code: 'input-id-reused', detail: `Id "${input.id}" was used for another input.` };

/** What was decided under an id, for what was brought first. */
export interface DecidedInput {
  readonly outcome: InputOutcome;
  readonly content: string;
}

/** What whoever brings `input` is to be told: under one id several may bring different things, and the first one counts. */
export const answerFor = (input: Input, { outcome, content }: DecidedInput): InputOutcome => (content === contentOf(input) ? outcome : { kind: 'refused', problem: otherContent(input) });
