import { LIMITS, whyNoId, type Command, type CommandKind } from '@perdure/contract';

/**
 * Whether a command is what its kind says, member by member, and nothing besides. The bundle's runtime makes commands, and the bundle is the user's: what stands in one
 * is spread into effects, rows and events, so a stranger in it would reach where only the engine writes.
 */
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;
const name: Check = (value) => typeof value === 'string' && value !== '' && value.length <= LIMITS.nameBytesMax;
const id: Check = (value) => typeof value === 'string' && value !== '' && value.length <= LIMITS.idBytesMax;
/** A run that code names: it must be one that clients can name as well, and keys are made of it. */
const target: Check = (value) => typeof value === 'string' && whyNoId(value) === undefined;
const ordinal: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const duration: Check = (value) => amount(value) && (value as number) <= LIMITS.durationMsMax;
const scalar: Check = (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);
const mapOf = (check: Check): Check => (value) => isObject(value) && Object.values(value).every(check);
const oneOf = (...values: readonly string[]): Check => (value) => typeof value === 'string' && values.includes(value);
const orNothing = (check: Check): Check => (value) => value === null || check(value);

/** A name that ends with `?` need not be there. */
const shaped = (members: Readonly<Record<string, Check>>): Check => {
  const checks = new Map(Object.entries(members).map(([member, check]) => [member.replace('?', ''), check]));
  const required = Object.keys(members).filter((member) => !member.endsWith('?'));
  return (value) => isObject(value) && required.every((member) => Object.hasOwn(value, member)) && Object.keys(value).every((member) => checks.get(member)?.(value[member]) === true);
};

const retry = shaped({ maxAttempts: count, initialIntervalMs: amount, backoffCoefficient: amount, maxIntervalMs: amount, 'nonRetryableTypes?': listOf(text) });
const options = shaped({ queue: name, startToCloseTimeoutMs: duration, 'scheduleToCloseTimeoutMs?': duration, 'heartbeatTimeoutMs?': duration, retry });
const wait = shaped({ type: name, match: mapOf(scalar), 'filter?': text, 'sinceMs?': (value) => Number.isFinite(value) });
const attributes = shaped({ 'memo?': orNothing(isObject), 'searchAttributes?': mapOf(orNothing((value) => scalar(value) || listOf(text)(value))) });
const CAUSES_MAX = 100;
const failureShape = shaped({ type: text, message: text, 'stack?': text, 'code?': text, 'retryable?': flag, 'details?': anything, 'cause?': isObject });
const failure: Check = (value) => {
  let at = value;
  for (let depth = 0; depth < CAUSES_MAX; depth++) {
    if (!failureShape(at)) return false;
    const { cause } = at as { readonly cause?: unknown };
    if (cause === undefined) return true;
    at = cause;
  }
  return false;
};
const outcome: Check = (value) => shaped({ status: oneOf('completed'), 'value?': anything })(value) || shaped({ status: oneOf('failed', 'cancelled'), error: failure })(value);
const undo = shaped({ undoSeq: ordinal, saga: ordinal, activitySeq: ordinal, name, options });

const kind: Check = text;
const ofSeq = shaped({ kind, seq: ordinal });
const SHAPES: Readonly<Record<CommandKind, Check>> = {
  scheduleActivity: shaped({ kind, seq: ordinal, name, 'input?': anything, options }),
  cancelActivity: ofSeq,
  startTimer: shaped({ kind, seq: ordinal, durationMs: duration }),
  cancelTimer: ofSeq,
  openWait: shaped({ kind, seq: ordinal, wait, 'timeoutMs?': duration }),
  cancelWait: ofSeq,
  startChild: shaped({ kind, seq: ordinal, workflowType: name, workflowId: target, 'input?': anything, 'attributes?': attributes, parentClosePolicy: oneOf('terminate', 'cancel', 'abandon') }),
  cancelChild: ofSeq,
  sendSignal: shaped({ kind, seq: ordinal, workflowId: target, 'runId?': target, name, 'input?': anything }),
  cancelRun: shaped({ kind, seq: ordinal, workflowId: target, 'runId?': target }),
  registerUndo: shaped({ kind, undo }),
  compensate: shaped({ kind, seq: ordinal, saga: ordinal }),
  upsertAttributes: shaped({ kind, attributes }),
  completeUpdate: shaped({ kind, updateId: id, outcome }),
  complete: shaped({ kind, 'result?': anything }),
  fail: shaped({ kind, error: failure }),
  cancel: shaped({ kind, error: failure }),
  continueAsNew: shaped({ kind, workflowType: name, 'input?': anything, 'attributes?': attributes, carried: listOf(shaped({ id, name, 'input?': anything })) }),
};

export const isCommand = (value: unknown): value is Command => isObject(value) && typeof value['kind'] === 'string' && Object.hasOwn(SHAPES, value['kind']) && SHAPES[value['kind'] as CommandKind](value);
