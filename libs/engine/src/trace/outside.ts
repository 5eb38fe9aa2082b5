import type { Effect, Input, RunKey } from '@perdure/contract';
import type { RunState } from '../state.js';

/** What the other services hold of one run, going by the effects they got and the inputs they sent. */
interface Held {
  readonly tasks: Set<number>;
  readonly timers: Set<number>;
  readonly waits: Set<number>;
}

/** The other side of the effects. Nothing that a run has let go stays behind there, and nothing that it awaits is missing. */
export class Outside {
  readonly #held = new Map<string, Held>();

  #of({ runId }: Pick<RunKey, 'runId'>): Held {
    const held = this.#held.get(runId) ?? { tasks: new Set<number>(), timers: new Set<number>(), waits: new Set<number>() };
    this.#held.set(runId, held);
    return held;
  }

  /** An input that a service sends is the end of what it held. */
  sends(input: Input): void {
    if (input.runId === undefined) return;
    const held = this.#of({ runId: input.runId });
    if (input.kind === 'activityClosed') held.tasks.delete(input.seq);
    if (input.kind === 'timerFired') held.timers.delete(input.seq);
  }

  receives(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.to === 'scheduler') {
        const { tasks, timers } = this.#of(effect.run);
        if (effect.kind === 'scheduleTask') tasks.add(effect.seq);
        else if (effect.kind === 'armTimer') timers.add(effect.seq);
        else if (effect.kind === 'disarmTimer') timers.delete(effect.seq);
        else if (effect.kind === 'dropRun') [tasks, timers].forEach((set) => set.clear());
      } else if (effect.to === 'correlation') {
        const { waits } = this.#of(effect.run);
        if (effect.kind === 'openWait') waits.add(effect.seq);
        else if (effect.kind === 'closeWait' || effect.taken) waits.delete(effect.seq);
      }
    }
  }

  /** What differs between what a run awaits and what is held for it. */
  differences(state: RunState): string[] {
    const { tasks, timers, waits } = this.#of(state.run);
    const due = Object.entries(state.waits).filter(([, { dueMs }]) => dueMs !== undefined).map(([seq]) => seq);
    const runTimeout = state.runTimeoutMs !== undefined && state.closedAt === undefined ? ['0'] : [];
    return [
      differ('tasks', tasks, Object.keys(state.activities)),
      differ('timers', timers, [...Object.keys(state.timers), ...due, ...runTimeout]),
      differ('waits', waits, Object.keys(state.waits)),
    ].filter((text) => text !== '');
  }
}

function differ(what: string, held: ReadonlySet<number>, awaited: readonly string[]): string {
  const [left, right] = [[...held].map(String).sort().join(), [...awaited].sort().join()];
  return left === right ? '' : `${what}: held ${left || 'none'}, awaited ${right || 'none'}`;
}
