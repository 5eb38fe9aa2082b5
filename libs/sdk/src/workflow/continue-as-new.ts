import type { Attributes } from '@perdure/contract';
import type { InputOf } from '../common/tokens.js';
import { stringify } from './primordials.js';
import { close, mayAsk, never, realm } from './realm.js';
import { field, toJson } from './serialise.js';

type AnyWorkflow = (...args: never[]) => Promise<unknown>;

export interface ContinueOptions {
  /** Default: the same workflow. */
  readonly workflowType?: string;
  /** Default: as they are. */
  readonly attributes?: Attributes;
}

/**
 * Ends this run here and goes on in a new one with an empty history, under the same workflow id. Signals that the code has not taken move along. Code after it
 * does not run, `catch` and `finally` included. On the newest default bundle, if the workflow's type has one.
 *
 * @throws TypeError when the input is not JSON.
 * @example return continueAsNew<typeof poll>({ cursor });
 */
export const continueAsNew = <W extends AnyWorkflow>(...[input, options = {}]: undefined extends InputOf<W> ? [input?: InputOf<W>, options?: ContinueOptions] : [input: InputOf<W>, options?: ContinueOptions]): Promise<never> => {
  if (!mayAsk('continueAsNew()')) return never();
  const workflowType = stringify(options.workflowType ?? realm.info?.workflowType);
  const fields = `${field('input', toJson(input, 'The input of continueAsNew()'))}${field('attributes', toJson(options.attributes, 'attributes'))}`;
  close(`{"kind":"continueAsNew","workflowType":${workflowType}${fields},"carried":${toJson(realm.buffer, 'A signal')}}`);
  return never();
};
