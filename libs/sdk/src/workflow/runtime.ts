import type { Job, JobEvent, QueryJob, Refusal, Started } from '@perdure/contract';
import { requestCancel } from './cancellation.js';
import { nameWorkflow } from './children.js';
import { checkConditions } from './condition.js';
import { installGlobals } from './globals.js';
import { completeRun, failRun } from './outcome.js';
import { join, parse, resolved, stringify, tagOf, then } from './primordials.js';
import { answerQuery } from './queries.js';
import { seedRandom } from './random.js';
import { realm } from './realm.js';
import { installStrictSerialising } from './serialise.js';
import { deliverSignal } from './signals.js';
import { acceptUpdate } from './updates.js';
import { RUNTIME_VERSION } from './version.js';

/**
 * The first import of every bundle: it makes the realm deterministic before any of the user's code is evaluated, and defines the global `__perdure`, by which the
 * host drives the run (`activation.ts` in `@perdure/contract`).
 */
type WorkflowFunction = (input: unknown) => unknown;

const workflows = new Map<string, WorkflowFunction>();

installGlobals();
installStrictSerialising();
seedRandom('bundle');

/** Takes the user's module: its exported async functions are the workflows. */
export const registerBundle = (user: Readonly<Record<string, unknown>>): void => {
  for (const name of Object.keys(user)) {
    const value = user[name];
    if (typeof value === 'function' && tagOf(value) === '[object AsyncFunction]') workflows.set(name, value as WorkflowFunction);
  }
  const anonymous = workflows.get('default');
  workflows.delete('default');
  if (anonymous !== undefined && ![...workflows.values()].includes(anonymous)) throw new TypeError('A workflow needs a name: export it by name, not as the default');
  for (const [name, workflow] of workflows) nameWorkflow(workflow, name);
  if (workflows.size === 0) throw new TypeError('The bundle has no workflow: it exports no async function');
  Object.defineProperty(globalThis, '__perdure', { value: Object.freeze({ activate, drain, manifest }), writable: false, enumerable: false, configurable: false });
};

const manifest = (): string =>
  stringify({
    workflows: [...workflows.keys()].sort(),
    signals: [...realm.declared.signal].sort(),
    queries: [...realm.declared.query].sort(),
    updates: [...realm.declared.update].sort(),
    runtime: RUNTIME_VERSION,
  });

const activate = (json: string): void => {
  const job = parse(json) as Job;
  if (job.at > realm.now) realm.now = job.at;
  if (job.kind === 'query') look(job);
  else if (job.kind === 'started') start(job);
  else if (realm.mode === 'running') react(job);
};

/**
 * The output of the activation, taken once no job of the realm is pending. An empty string says: a condition has come true, run the realm's jobs again and ask
 * again.
 */
const drain = (): string => {
  const looked = realm.answer !== undefined || realm.refused !== undefined;
  if (!looked && realm.conditions.size > 0 && checkConditions()) return '';
  let output = looked ? '{"commands":[]' : `{"commands":[${join(realm.commands, ',')}]`;
  if (realm.refused !== undefined) output += `,"refused":${stringify(realm.refused)}`;
  if (realm.answer !== undefined) output += `,"answer":${realm.answer}`;
  if (realm.logs.length > 0) output += `,"logs":[${join(realm.logs, ',')}]`;
  realm.commands = [];
  realm.logs = [];
  realm.logChars = 0;
  realm.refused = realm.answer = realm.readonly = undefined;
  return `${output}}`;
};

const refuse = (code: Refusal['code'], message: string, known: Iterable<string>): void => {
  realm.refused = { code, message, known: [...new Set(known)].sort() };
};

const start = (job: Started & { readonly at: number }): void => {
  const workflow = workflows.get(job.workflowType);
  if (workflow === undefined) {
    refuse('unknown-workflow', `The bundle has no workflow ${job.workflowType}`, workflows.keys());
    return;
  }
  const { run, workflowType, pin, parent, continuedFrom, runTimeoutMs, attributes } = job;
  realm.mode = 'running';
  realm.info = { ...run, workflowType, bundle: pin.bundle, startedAt: job.at, parent, continuedFrom, runTimeoutMs, ...attributes };
  if (job.carried !== undefined) realm.buffer = [...job.carried];
  seedRandom(run.runId);
  try {
    then(resolved(workflow(job.input)), completeRun, failRun);
  } catch (error) {
    failRun(error);
  }
};

/** Until `drain`, nothing may be asked: not by the handler, nor by what it leaves behind in the realm's job queue. */
const look = (job: QueryJob): void => {
  realm.readonly = `Query ${job.name}`;
  realm.answer = answerQuery(job);
  if (realm.answer === undefined) refuse('unknown-query', `The workflow has no query ${job.name}`, [...realm.queries.keys(), ...realm.declared.query]);
};

const react = (job: Exclude<JobEvent, Started>): void => {
  try {
    switch (job.kind) {
      case 'signalReceived':
        if (!deliverSignal(job)) refuse('unknown-signal', `The workflow has no signal ${job.name}`, [...realm.signals.keys(), ...realm.declared.signal]);
        return;
      case 'updateAccepted':
        if (!acceptUpdate(job)) refuse('unknown-update', `The workflow has no update ${job.name}${realm.declared.update.has(job.name) ? ' now' : ''}`, [...realm.updates.keys(), ...realm.declared.update]);
        if (realm.refused !== undefined) realm.readonly = `The validator of update ${job.name}`;
        return;
      case 'cancelRequested':
        requestCancel(job.reason);
        return;
      default:
        settle(job);
    }
  } catch (error) {
    failRun(error);
  }
};

const settle = (job: { readonly kind: string; readonly seq: number }): void => {
  const pending = realm.pending.get(job.seq);
  if (pending === undefined) return;
  if (job.kind !== 'childStarted') realm.pending.delete(job.seq);
  pending.settle(job);
};

