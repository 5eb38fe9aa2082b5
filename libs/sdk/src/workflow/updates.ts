import type { UpdateAccepted } from '@perdure/contract';
import { isErrorNamed } from '../common/errors.js';
import { toFailure } from '../common/failure.js';
import type { UpdateToken } from '../common/tokens.js';
import { rejected, resolved, stringify, then } from './primordials.js';
import { issue, looking, mayAsk, realm, type UpdateHandler } from './realm.js';
import { refusePromise } from './queries.js';
import { field, toJson } from './serialise.js';
import { nameOf } from './signals.js';

/**
 * Declares an update: a request that changes the run and is answered.
 *
 * @example export const addItem = update<Item, number>('addItem');
 */
export const update = <Input = void, Output = unknown>(name: string): UpdateToken<Input, Output> => {
  realm.declared.update.add(nameOf(name));
  return Object.freeze({ kind: 'update', name });
};

/**
 * Answers updates of that name. `validate` is synchronous and may look but ask for nothing; when it throws, the update is refused and leaves no trace. The handler
 * may be async; an error that leaves it is the update's answer and does not fail the run. An update that arrives while none handles it is refused.
 *
 * @throws TypeError outside of a run.
 * @example onUpdate(addItem, (item) => items.push(item), { validate: (item) => { if (item.count < 1) throw new Error('count'); } });
 */
export const onUpdate = <Input, Output>(
  token: UpdateToken<Input, Output> | string,
  handler: (input: Input) => Output | Promise<Output>,
  options: { readonly validate?: (input: Input) => void } = {},
): void => {
  if (!mayAsk('onUpdate()')) return;
  realm.updates.set(nameOf(token), { handle: handler, validate: options.validate } as UpdateHandler);
};

/** False when no handler of that name is there. */
export const acceptUpdate = ({ id, name, input }: UpdateAccepted): boolean => {
  const handler = realm.updates.get(name);
  if (handler === undefined) return false;
  try {
    looking(`The validator of update ${name}`, () => refusePromise(handler.validate?.(input as never), `The validator of update ${name}`));
  } catch (error) {
    const failure = toFailure(error);
    realm.refused = { code: 'update-refused', message: failure.message, error: failure };
    return true;
  }
  realm.updating.add(id);
  then(run(handler, input), (value) => complete(id, value, name), (error) => fail(id, error));
  return true;
};

const run = (handler: UpdateHandler, input: unknown): Promise<unknown> => {
  try {
    return resolved(handler.handle(input as never));
  } catch (error) {
    return rejected(error);
  }
};

const complete = (id: string, value: unknown, name: string): void => {
  let json: string | undefined;
  try {
    json = toJson(value, `The result of update ${name}`);
  } catch (error) {
    fail(id, error);
    return;
  }
  answer(id, `{"status":"completed"${field('value', json)}}`);
};

const fail = (id: string, error: unknown): void => {
  const status = realm.cancelRequested !== undefined && isErrorNamed(error, 'Cancelled') ? 'cancelled' : 'failed';
  answer(id, `{"status":"${status}","error":${stringify(toFailure(error))}}`);
};

/** Once per update: when the run closes first, `close` has answered it. */
const answer = (id: string, outcomeJson: string): void => {
  if (realm.updating.delete(id)) issue(`{"kind":"completeUpdate","updateId":${stringify(id)},"outcome":${outcomeJson}}`);
};

/**
 * Whether no handler of a signal or update is still at work: await it before the workflow ends, if their work must not be cut off.
 *
 * @example await condition(allHandlersFinished);
 */
export const allHandlersFinished = (): boolean => realm.updating.size === 0 && realm.signalling === 0;
