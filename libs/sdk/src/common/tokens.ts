/** Carries a type and no value. */
declare const carried: unique symbol;

/** Names a signal and the type of its input. */
export interface SignalToken<Input = unknown> {
  readonly kind: 'signal';
  readonly name: string;
  readonly [carried]?: (input: Input) => void;
}

/** Names a query, the type of its argument and of its answer. */
export interface QueryToken<Args = unknown, Result = unknown> {
  readonly kind: 'query';
  readonly name: string;
  readonly [carried]?: (args: Args) => Result;
}

/** Names an update, the type of its input and of its result. */
export interface UpdateToken<Input = unknown, Output = unknown> {
  readonly kind: 'update';
  readonly name: string;
  readonly [carried]?: (input: Input) => Output;
}

/** A workflow's function. */
export type Workflow<Input = never, Output = unknown> = (input: Input) => Promise<Output>;

/** What a workflow takes; `undefined` when it takes nothing, `unknown` of one that is known by its name alone. */
export type InputOf<W extends (...args: never[]) => unknown> = number extends Parameters<W>['length'] ? unknown : Parameters<W> extends [] ? undefined : Parameters<W>[0];

/** `options` that may be left out exactly when the workflow takes nothing. */
export type WithInput<W extends (...args: never[]) => unknown, Options> = undefined extends InputOf<W> ? [options?: Options] : [options: Options];

/** What a workflow returns; `unknown` of one that is known by its name alone, for which `ReturnType` would say `any`. */
export type ResultOf<W extends (...args: never[]) => unknown> = W extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** What an undo activity receives: the input of the activity it takes back, that one's idempotency key, and its result if it is known to have completed. */
export interface Undo<Input, Result> {
  readonly input: Input;
  readonly idempotencyKey: string;
  readonly result?: Result;
}
