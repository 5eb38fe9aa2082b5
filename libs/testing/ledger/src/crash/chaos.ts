import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Direction } from '@perdure/servers';
import { Draws } from '../program/draws.js';
import { NO_CUTS, type Cuts } from './cutting-proxy.js';
import type { Deployment } from './deployment.js';
import type { Disturbable, Role } from './disturbable.js';
import type { Weights } from './lanes.js';

export interface ChaosOptions {
  readonly deployment: Deployment;
  readonly seed: number;
  /** Between two disturbances. */
  readonly gapMs: readonly [min: number, max: number];
  /** How long a process is held. */
  readonly holdMs: readonly [min: number, max: number];
  /** How often a worker may be killed: three times under the same attempt and it is poisoned. */
  readonly workerKillsMax: number;
  /** Where each disturbance is noted. */
  readonly log: string;
}

/** `stop`: asked to end, as an operator does. `stumbleMs`: it is killed once more so long after it was started again. */
export type Disturbance =
  | { readonly do: 'kill' | 'hold' | 'stop'; readonly role: Role; readonly stumbleMs?: number; readonly which: number; readonly ms: number; readonly thenMs: number }
  | { readonly do: 'cut'; readonly cuts: Cuts; readonly ms: number; readonly thenMs: number }
  /** `latencyMs`: each piece of data is so late; without it nothing comes through. */
  | { readonly do: 'link'; readonly direction: Direction; readonly latencyMs?: number; readonly which: number; readonly ms: number; readonly thenMs: number };

/** A tenth of all deliveries is refused, and the receiver seems to die after some others it has committed. */
const OF_DELIVERIES: Cuts = { ...NO_CUTS, refusals: 10, answers: 2 };

/** A hold can be so much longer than others: then even a session is given up. */
const LONG_HOLD = 3;

/** One of a deployment's lanes. Its number makes it another sequence than the others of the same seed. */
export interface Lane {
  readonly number: number;
  readonly weights: Weights;
}

/** What is done in a lane, in which order, and for how long: the seed decides it. When it falls, and upon what, real time decides. */
export function* disturbances({ seed, lane, gapMs, holdMs }: Pick<ChaosOptions, 'seed' | 'gapMs' | 'holdMs'> & { readonly lane: Lane }): Generator<Disturbance, never> {
  const draws = new Draws(lane.number === 0 ? seed : -lane.number - seed);
  for (;;) {
    const thenMs = draws.int(...gapMs);
    const kind: string = draws.weighted<string>(lane.weights as Record<string, number>);
    if (kind === 'cut') {
      yield { do: 'cut', cuts: { ...NO_CUTS, answers: draws.int(0, 30), requests: draws.int(0, 15), delays: draws.int(0, 30), delayMsMax: draws.int(10, 900) }, ms: draws.int(300, 3_000), thenMs };
    } else if (kind.endsWith('Link')) {
      const direction: Direction = draws.chance(50) ? 'toServer' : 'toClient';
      yield { do: 'link', direction, which: draws.int(0, 999), ms: draws.int(...holdMs), thenMs, ...(kind === 'slowLink' && { latencyMs: draws.int(20, 800) }) };
    } else {
      const what = (/^(?:kill|hold|stop)/.exec(kind)?.[0] ?? 'kill') as 'kill' | 'hold' | 'stop';
      const role = kind.slice(what.length).toLowerCase() as Role;
      // A process that has ended is away for a while, too; most come back at once.
      const ms = what === 'hold' ? draws.int(...holdMs) * (draws.chance(10) ? LONG_HOLD : 1) : draws.chance(70) ? 0 : draws.int(1, 1_500);
      const stumbles = what === 'kill' && draws.chance(30);
      yield { do: what, role, which: draws.int(0, 999), ms, thenMs, ...(stumbles && { stumbleMs: draws.int(1, 900) }) };
    }
  }
}

/** Disturbs a deployment, in each lane one disturbance after the other, until it is told to stop; then nothing is disturbed any more. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly counts: Record<string, number> = {};
  #workerKills = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  async run(over: AbortSignal): Promise<void> {
    for (const proxy of this.#options.deployment.deliveries) proxy.cuts = OF_DELIVERIES;
    await Promise.all(Object.values(this.#options.deployment.lanes).map((weights, number) => this.#lane({ number, weights }, over)));
    for (const proxy of [...this.#options.deployment.proxies, ...this.#options.deployment.deliveries]) proxy.cuts = NO_CUTS;
  }

  async #lane(lane: Lane, over: AbortSignal): Promise<void> {
    for (const disturbance of disturbances({ ...this.#options, lane })) {
      await wait(disturbance.thenMs, over);
      if (over.aborted) return;
      await this.#disturb(disturbance, over);
    }
  }

  async #disturb(disturbance: Disturbance, over: AbortSignal): Promise<void> {
    if (disturbance.do === 'cut') {
      this.#note('cut', JSON.stringify(disturbance.cuts));
      for (const proxy of this.#options.deployment.proxies) proxy.cuts = disturbance.cuts;
      await wait(disturbance.ms, over);
      for (const proxy of this.#options.deployment.proxies) proxy.cuts = NO_CUTS;
      return;
    }
    if (disturbance.do === 'link') return this.#disturbLink(disturbance, over);
    const target = this.#pick(disturbance);
    if (!target) return;
    this.#note(`${disturbance.do} ${disturbance.role}`, `${target.options.name}, pid ${target.pid}, for ${disturbance.ms} ms${disturbance.stumbleMs === undefined ? '' : `, and again ${disturbance.stumbleMs} ms later`}`);
    if (disturbance.do === 'hold') {
      target.hold();
      await wait(disturbance.ms, over);
      return target.resume();
    }
    await (disturbance.do === 'kill' ? target.kill() : target.stop());
    await wait(disturbance.ms, over);
    if (disturbance.stumbleMs !== undefined) await target.stumble(disturbance.stumbleMs);
    await target.start();
  }

  async #disturbLink({ which, direction, latencyMs, ms }: Extract<Disturbance, { do: 'link' }>, over: AbortSignal): Promise<void> {
    const { links } = this.#options.deployment;
    const link = links[which % links.length];
    if (!link) return;
    this.#note(latencyMs === undefined ? 'cut link' : 'slow link', `${link.name} ${direction}${latencyMs === undefined ? '' : `, ${latencyMs} ms late`}, for ${ms} ms`);
    await (latencyMs === undefined ? link.cut(direction) : link.slow(direction, { latencyMs, jitterMs: Math.floor(latencyMs / 2) }));
    await wait(ms, over);
    await link.heal();
  }

  #pick({ role, which, do: what }: Exclude<Disturbance, { do: 'cut' | 'link' }>): Disturbable | undefined {
    const targets = this.#options.deployment.processes.filter(({ options }) => options.role === role && !options.sheltered);
    if (role === 'worker' && what !== 'hold' && ++this.#workerKills > this.#options.workerKillsMax) return undefined;
    return targets[which % targets.length];
  }

  #note(what: string, more: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    appendFileSync(this.#options.log, `${Math.round(performance.now())} ${what}: ${more}\n`);
  }
}

/** For so long, or until it is over. */
const wait = async (ms: number, over: AbortSignal): Promise<void> => {
  await pause(ms, undefined, { signal: over }).catch(() => undefined);
};
