import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Draws } from '../program/draws.js';
import { NO_CUTS, type Cuts } from './cutting-proxy.js';
import type { Deployment } from './deployment.js';
import type { ManagedProcess, Role } from './managed-process.js';

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

export type Disturbance =
  | { readonly do: 'kill' | 'hold'; readonly role: Role; readonly which: number; readonly ms: number; readonly thenMs: number }
  | { readonly do: 'cut'; readonly cuts: Cuts; readonly ms: number; readonly thenMs: number };

/** What is done, in which order, and for how long: the seed decides it. When it falls, and upon what, real time decides. */
export function* disturbances({ seed, gapMs, holdMs }: Pick<ChaosOptions, 'seed' | 'gapMs' | 'holdMs'>): Generator<Disturbance, never> {
  const draws = new Draws(seed);
  for (;;) {
    const thenMs = draws.int(...gapMs);
    const kind = draws.weighted({ killServer: 5, holdServer: 2, killWorker: 2, holdWorker: 2, killLedger: 1, holdLedger: 1, cut: 5 });
    if (kind === 'cut') {
      yield { do: 'cut', cuts: { answers: draws.int(0, 30), requests: draws.int(0, 15), delays: draws.int(0, 30), delayMsMax: draws.int(10, 900) }, ms: draws.int(300, 3_000), thenMs };
    } else {
      const role: Role = kind.endsWith('Server') ? 'server' : kind.endsWith('Worker') ? 'worker' : 'ledger';
      // A process that was killed is away for a while, too; most come back at once.
      const ms = kind.startsWith('hold') ? draws.int(...holdMs) : draws.chance(70) ? 0 : draws.int(1, 1_500);
      yield { do: kind.startsWith('hold') ? 'hold' : 'kill', role, which: draws.int(0, 999), ms, thenMs };
    }
  }
}

/** Disturbs a deployment, one disturbance after the other, until it is told to stop; then nothing is disturbed any more. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly counts: Record<string, number> = {};
  #workerKills = 0;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  async run(over: AbortSignal): Promise<void> {
    const { deployment } = this.#options;
    try {
      for (const disturbance of disturbances(this.#options)) {
        await wait(disturbance.thenMs, over);
        if (over.aborted) break;
        await this.#disturb(disturbance, over);
      }
    } finally {
      for (const proxy of deployment.proxies) proxy.cuts = NO_CUTS;
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
    const target = this.#pick(disturbance);
    if (!target) return;
    this.#note(`${disturbance.do} ${disturbance.role}`, `${target.options.name}, pid ${target.pid}, for ${disturbance.ms} ms`);
    if (disturbance.do === 'hold') {
      target.hold();
      await wait(disturbance.ms, over);
      return target.resume();
    }
    await target.kill();
    await wait(disturbance.ms, over);
    await target.start();
  }

  #pick({ role, which, do: what }: Exclude<Disturbance, { do: 'cut' }>): ManagedProcess | undefined {
    const targets = this.#options.deployment.processes.filter(({ options }) => options.role === role && !options.sheltered);
    if (role === 'worker' && what === 'kill' && ++this.#workerKills > this.#options.workerKillsMax) return undefined;
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
