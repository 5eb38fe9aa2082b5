import { whyNoId, type Attributes, type ChildClosed, type ChildStarted, type ParentClosePolicy } from '@perdure/contract';
import { ChildFailed } from '../common/errors.js';
import { fromFailure } from '../common/failure.js';
import type { InputOf, ResultOf, SignalToken, WithInput } from '../common/tokens.js';
import { NativePromise, stringify, then } from './primordials.js';
import { ask, issue, mayAsk, realm, type Settle } from './realm.js';
import { field, toJson } from './serialise.js';
import { signalRun } from './signals.js';

type AnyWorkflow = (...args: never[]) => Promise<unknown>;

/** By the functions themselves: a bundler gives another name to one whose name is taken in the script, and a module may export it under another. */
const workflowTypes = new WeakMap<object, string>();

/** The workflow's type is the name that it is exported by; the first one counts. */
export const nameWorkflow = (workflow: object, workflowType: string): void => {
  if (!workflowTypes.has(workflow)) workflowTypes.set(workflow, workflowType);
};

/** `input` is required exactly when the child takes one. */
export type ChildOptions<Input> = {
  /** Default: the parent's workflow id, a slash and the child's seq. */
  readonly workflowId?: string;
  /** What becomes of the child when the parent closes first. Default `terminate`. */
  readonly parentClosePolicy?: ParentClosePolicy;
  readonly attributes?: Attributes;
} & (undefined extends Input ? { readonly input?: Input } : { readonly input: Input });

/** A child run that has started. */
export interface ChildHandle<Result> {
  readonly workflowId: string;
  readonly runId: string;
  /** Its result; rejects with `ChildFailed`, or with `Cancelled` when it ended as cancelled. */
  result(): Promise<Result>;
  /** Resolves when the child has the signal. */
  signal<Input>(token: SignalToken<Input> | string, ...input: undefined extends Input ? [input?: Input] : [input: Input]): Promise<void>;
  /** Asks it to stop; `result()` settles by how it really ends. */
  cancel(): void;
}

/**
 * Starts another workflow as a child of this run, on the same bundle when that has it; resolves once it has started. A cancel request to this run is passed on.
 *
 * @param workflow its function, or its name (its exported name).
 * @throws Rejects with `ChildFailed` when it cannot start (its workflow id is taken, no such workflow).
 * @example
 * const child = await startChild(deliver, { workflowId: `parcel-${id}`, input: parcel });
 * const receipt = await child.result();
 */
export const startChild = <W extends AnyWorkflow>(workflow: W | string, ...[given]: WithInput<W, ChildOptions<InputOf<W>>>): Promise<ChildHandle<ResultOf<W>>> => {
  const options: ChildOptions<unknown> = given ?? {};
  const workflowType = typeof workflow === 'string' ? workflow : (workflowTypes.get(workflow) ?? workflow.name);
  if (workflowType === '') throw new TypeError('startChild() needs a named workflow function or its name');
  const { input, parentClosePolicy = 'terminate', attributes } = options;
  const why = options.workflowId === undefined ? undefined : whyNoId(options.workflowId);
  if (why) throw new TypeError(`The workflow id of child ${workflowType} ${why}`);
  const fields = `${field('input', toJson(input, `The input of child workflow ${workflowType}`))}${field('attributes', toJson(attributes, 'attributes'))}`;
  return ask<ChildHandle<ResultOf<W>>>('startChild()', (seq, started) => {
    const workflowId = options.workflowId ?? `${realm.info?.workflowId}/${seq}`;
    issue(`{"kind":"startChild","seq":${seq},"workflowType":${stringify(workflowType)},"workflowId":${stringify(workflowId)}${fields},"parentClosePolicy":${stringify(parentClosePolicy)}}`);
    return pendingChild({ seq, workflowType, workflowId, started });
  });
};

interface ChildFacts<Result> {
  readonly seq: number;
  readonly workflowType: string;
  readonly workflowId: string;
  readonly started: Settle<ChildHandle<Result>>;
}

const pendingChild = <Result>({ seq, workflowType, workflowId, started }: ChildFacts<Result>) => {
  let closed!: Settle<Result>;
  const result = new NativePromise<Result>((resolve, reject) => {
    closed = { resolve, reject };
  });
  // A child whose result no one awaits may fail without this run failing.
  then(result, () => undefined, () => undefined);
  let asked = false;
  const cancel = (): void => {
    if (!realm.pending.has(seq) || asked) return;
    asked = true;
    issue(`{"kind":"cancelChild","seq":${seq}}`);
  };
  const handle = (runId: string): ChildHandle<Result> => ({
    workflowId,
    runId,
    result: () => result,
    signal: (token, ...input) => signalRun({ workflowId, runId }, token, ...input),
    cancel: () => {
      if (mayAsk('cancel()')) cancel();
    },
  });
  return {
    settle: (job: unknown) => {
      const event = job as ChildStarted | ChildClosed;
      if (event.kind === 'childStarted') return started.resolve(handle(event.runId));
      if (event.outcome.status === 'completed') return closed.resolve(event.outcome.value as Result);
      const error = toError(event, { workflowType, workflowId });
      // Only one of the two matters to the code: the other has settled, or is not known to it.
      started.reject(error);
      closed.reject(error);
    },
    cancel,
  };
};

const toError = ({ outcome }: ChildClosed, child: { readonly workflowType: string; readonly workflowId: string }): Error => {
  if (outcome.status === 'completed') throw new TypeError('A completed child has no error');
  if (outcome.status === 'cancelled') return fromFailure({ ...outcome.error, type: 'Cancelled' });
  return new ChildFailed(`Child ${child.workflowType} (${child.workflowId}) failed: ${outcome.error.message}`, { ...child, cause: fromFailure(outcome.error) });
};

/**
 * Starts a child and awaits its result: `(await startChild(…)).result()`.
 *
 * @example const receipt = await runChild(deliver, { input: parcel });
 */
export const runChild = <W extends AnyWorkflow>(workflow: W | string, ...options: WithInput<W, ChildOptions<InputOf<W>>>): Promise<ResultOf<W>> =>
  then(startChild<W>(workflow, ...options), (child: ChildHandle<ResultOf<W>>) => child.result()) as Promise<ResultOf<W>>;
