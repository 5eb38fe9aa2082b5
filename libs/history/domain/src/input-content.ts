import { hash } from 'node:crypto';
import type { Input, Json } from '@perdure/contract';

/** Inputs that may be sent again under their id. The others are told by the state that awaits them (design §16). */
export const isRemembered = (input: Input): boolean => {
  switch (input.kind) {
    case 'start':
    case 'signal':
    case 'update':
    case 'cancel':
    case 'terminate':
    case 'suspend':
    case 'resume':
      return true;
    default:
      return false;
  }
};

/** JSON with sorted keys: the same value in another order of keys is the same content. */
export function canonicalJson(value: Json | undefined): string {
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
