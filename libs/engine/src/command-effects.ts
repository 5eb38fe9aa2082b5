import type { CommandEvent, ChildRequested, Effect } from '@perdure/contract';
import type { EngineHost } from './decision.js';
import { given, own } from './json.js';
import { askId, toRun } from './messages.js';
import type { RunState } from './state.js';
import { rollbackSteps } from './undo.js';

export const childRunId = (state: RunState, seq: number, host: EngineHost): string => {
  const { workflowId } = state.children[seq]!;
  return host.deriveRunId({ tenant: state.run.tenant, workflowId, startId: askId(state.run, seq) });
};

/** What a command makes the outside do. `state` is as it was before the command's event. */
export function pushCommandEffects(effects: Effect[], event: CommandEvent, { state, at, host }: { readonly state: RunState; readonly at: number; readonly host: EngineHost }): void {
  const { run, trace } = state;
  switch (event.kind) {
    case 'activityScheduled': {
      const { kind: _, ...activity } = event;
      effects.push(given({ to: 'scheduler', kind: 'scheduleTask', run, role: 'activity', ...activity, bundle: state.pin.bundle, workflowType: state.workflowType, at, trace }));
      return;
    }
    case 'activityCancelRequested': {
      const activity = own(state.activities, event.seq);
      if (activity && !activity.cancelRequested) effects.push({ to: 'scheduler', kind: 'cancelTask', run, seq: event.seq });
      return;
    }
    case 'timerStarted':
      effects.push({ to: 'scheduler', kind: 'armTimer', run, seq: event.seq, dueMs: at + event.durationMs });
      return;
    case 'timerCancelled':
      if (own(state.timers, event.seq)) effects.push({ to: 'scheduler', kind: 'disarmTimer', run, seq: event.seq });
      return;
    case 'waitOpened':
      effects.push({ to: 'correlation', kind: 'openWait', run, seq: event.seq, chain: state.chain, wait: event.wait, at });
      if (event.timeoutMs !== undefined) effects.push({ to: 'scheduler', kind: 'armTimer', run, seq: event.seq, dueMs: at + event.timeoutMs });
      return;
    case 'waitCancelled':
      pushCloseWait(effects, state, event.seq);
      return;
    case 'childRequested':
      effects.push(startOf(state, event, { at, host }));
      return;
    case 'childCancelRequested': {
      const child = own(state.children, event.seq);
      if (!child) return;
      const to = { tenant: run.tenant, workflowId: child.workflowId, runId: childRunId(state, event.seq, host) };
      effects.push(toRun({ id: askId(run, event.seq, 'cancel'), to, at, trace }, { kind: 'cancel' }));
      return;
    }
    case 'signalSent': {
      const { seq, workflowId, runId, name, input } = event;
      effects.push(toRun({ id: askId(run, seq), to: { tenant: run.tenant, workflowId, runId }, at, trace }, given({ kind: 'signal', name, input, from: { ...run, seq } })));
      return;
    }
    case 'runCancelSent': {
      const { seq, workflowId, runId } = event;
      effects.push(toRun({ id: askId(run, seq), to: { tenant: run.tenant, workflowId, runId }, at, trace }, { kind: 'cancel', from: { ...run, seq } }));
      return;
    }
    case 'compensationRequested': {
      const { seq, saga } = event;
      effects.push(given({ to: 'compensation', kind: 'rollback', run, seq, steps: rollbackSteps(state, saga), cause: 'code', bundle: state.pin.bundle, workflowType: state.workflowType, at, trace }));
      return;
    }
    case 'undoRegistered':
    case 'attributesUpserted':
    case 'updateCompleted':
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'continuedAsNew':
      return;
  }
}

/** The wait is over, but not by an event: correlation forgets it, and its timeout is disarmed. */
export function pushCloseWait(effects: Effect[], state: RunState, seq: number): void {
  const open = own(state.waits, seq);
  if (!open) return;
  effects.push({ to: 'correlation', kind: 'closeWait', run: state.run, seq, wait: open.wait });
  if (open.dueMs !== undefined) effects.push({ to: 'scheduler', kind: 'disarmTimer', run: state.run, seq });
}

/** `bundle` is the parent's: the one who receives the start takes the tenant's default instead if that has no such workflow type. */
function startOf(state: RunState, event: ChildRequested, { at, host }: { readonly at: number; readonly host: EngineHost }): Effect {
  const { run, trace } = state;
  const { seq, workflowType, workflowId, input, attributes, parentClosePolicy } = event;
  const id = askId(run, seq);
  const newRunId = host.deriveRunId({ tenant: run.tenant, workflowId, startId: id });
  const parent = { ...run, seq, closePolicy: parentClosePolicy };
  return toRun({ id, to: { tenant: run.tenant, workflowId }, at, trace }, given({ kind: 'start', workflowType, newRunId, bundle: state.pin.bundle, input, attributes, parent }));
}
