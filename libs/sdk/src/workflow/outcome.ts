import { toFailure } from '../common/failure.js';
import { isErrorNamed } from '../common/errors.js';
import { stringify } from './primordials.js';
import { close, realm } from './realm.js';
import { field, toJson } from './serialise.js';

/** The run ends with this error: as cancelled, if it was asked to stop and `Cancelled` is what it let through. */
export const failRun = (error: unknown): void => {
  const kind = realm.cancelRequested !== undefined && isErrorNamed(error, 'Cancelled') ? 'cancel' : 'fail';
  close(`{"kind":"${kind}","error":${stringify(toFailure(error))}}`);
};

export const completeRun = (result: unknown): void => {
  let json: string | undefined;
  try {
    json = toJson(result, `The result of workflow ${realm.info?.workflowType}`);
  } catch (error) {
    failRun(error);
    return;
  }
  close(`{"kind":"complete"${field('result', json)}}`);
};
