import { Correlator } from '@perdure/correlation';
import { MemoryCorrelationStore } from '@perdure/correlation/testing';
import { isClosed, LIMITS, type ExternalEvent } from '@perdure/contract';
import { nameOf, type Finding } from './finding.js';
import type { Contents } from './merge-shards.js';
import type { FoldedRun } from './folded-run.js';

/** With the type: those of two types may lie in two shards, each of which knows its own. A sender that gives two of them one id has sent two events. */
const identityOf = ({ tenant, source, id, type }: ExternalEvent): string => JSON.stringify([tenant, source, id, type]);

/** An external event was taken by one run, once; or it is there for the first that wants it. */
export async function checkEvents({ events, waits, inbox, coming }: Contents, folded: ReadonlyMap<number, FoldedRun>): Promise<Finding[]> {
  const found: Finding[] = [];
  const report = (where: string, what: string): void => void found.push({ check: 'event', where, what });
  const taken = new Map<string, { readonly by: string; readonly at: number }>();
  for (const { state, transitions } of folded.values()) {
    for (const { at, events: bodies } of transitions) {
      for (const body of bodies) {
        if (body.kind !== 'eventReceived') continue;
        const identity = identityOf(body.event);
        const before = taken.get(identity);
        // Its identity is forgotten after the window, and then it is another event.
        if (before && at - before.at < LIMITS.eventDedupeMs) report(identity, `it was taken by ${before.by} and by ${nameOf(state.run)}`);
        taken.set(identity, { by: nameOf(state.run), at });
      }
    }
  }
  const settling = new Set(coming.flatMap((effect) => (effect.kind === 'settleOffer' ? [identityOf(effect.event)] : [])));
  for (const { event, state, arrival } of events) {
    const identity = identityOf(event);
    if (settling.has(identity)) continue;
    if (state !== 'spent' && taken.has(identity)) report(identity, `it is ${state}, and ${taken.get(identity)?.by} has taken it`);
    if (state === 'offered' && !waits.some(({ offered }) => offered === arrival)) report(identity, 'it is offered, and no wait holds it');
    if (state === 'buffered' && waits.some(({ offered }) => offered === arrival)) report(identity, 'it is buffered, and a wait holds it');
  }
  if (inbox.length + coming.length === 0) for (const what of await missed({ events, waits }, folded)) report(what.identity, `${what.wait} waits for it`);
  return found;
}

/** Buffered events that an open wait would take: a correlator that sees both anew finds them. */
async function missed({ events, waits }: Pick<Contents, 'events' | 'waits'>, folded: ReadonlyMap<number, FoldedRun>): Promise<{ identity: string; wait: string }[]> {
  const correlator = await Correlator.open({ store: new MemoryCorrelationStore() });
  for (const { event, state, arrivedAt } of events) if (state === 'buffered') await correlator.publish([event], arrivedAt);
  const open = new Set([...folded.values()].filter(({ state }) => !isClosed(state.status)).map(({ state }) => state.run.runId));
  for (const { run, seq, chain, wait, openedAt } of waits) if (open.has(run.runId)) await correlator.receive([{ to: 'correlation', kind: 'openWait', run, seq, chain, wait, at: openedAt }]);
  return correlator.takeInputs().flatMap((input) => (input.kind === 'eventOffered' ? [{ identity: identityOf(input.event), wait: `${input.workflowId} #${input.seq}` }] : []));
}
