import { Draws } from './draws.js';
import { eventKeyOf, eventValueOf, signalNameOf, SIGNALS_MAX, type ActivityStep, type Behaviour, type ChildStep, type EventStep, type Program, type SagaStep, type Sending, type SignalStep, type SleepStep, type Step, type TogetherStep } from './program.js';

export interface GenerateOptions {
  readonly seed: number;
  readonly index: number;
  /** 1 for the smallest; steps and depth grow with it. */
  readonly size: number;
  /** In how many of a hundred activities the worker's process dies. */
  readonly crashPercent: number;
}

/** The same seed and index give the same program, however many there are. */
export const generateProgram = ({ seed, index, size, crashPercent }: GenerateOptions): Program => {
  const draws = new Draws(seed * 1_000_003 + index);
  const sort = draws.weighted({ plain: 60, cancelled: 13, failing: 9, terminated: 10, suspended: 8 });
  const maker = new Maker(`p${seed}-${index}`, { draws, size, crashPercent, lanes: [], client: true, updates: sort !== 'terminated' && sort !== 'suspended' });
  return maker.program(sort);
};

type Sort = 'plain' | 'cancelled' | 'failing' | 'terminated' | 'suspended';

interface MakerOptions {
  readonly draws: Draws;
  readonly size: number;
  readonly crashPercent: number;
  /** The family's own: whoever makes a step that waits for the client adds what the client sends. */
  readonly lanes: Sending[][];
  /** The client may send signals and updates to it; a child may be there too late for that. */
  readonly client: boolean;
  /** A suspended run refuses updates, and one that is ended may never answer them. */
  readonly updates: boolean;
}

/** Makes one program; a child has a maker of its own. */
class Maker {
  readonly #name: string;
  readonly #options: MakerOptions;
  readonly #draws: Draws;
  readonly #durations = new Set<number>();
  #n = 0;
  #signals = 0;
  #updates = 0;

  constructor(name: string, options: MakerOptions) {
    this.#name = name;
    this.#options = options;
    this.#draws = options.draws;
  }

  program(sort: Sort): Program {
    const { lanes } = this.#options;
    const steps = sort === 'cancelled' ? this.#cancellable() : this.#steps(this.#draws.int(1, 2 + this.#options.size * 2));
    if (sort === 'failing') steps.push({ do: 'fail' });
    if (sort === 'suspended') lanes.push(Array.from({ length: this.#draws.int(1, 2) }, (_, index) => this.#suspension(index + 1)).flat());
    if (sort === 'terminated') {
      steps.push({ do: 'forever' });
      lanes.push(this.#termination());
    }
    if (this.#draws.chance(40)) lanes.push(Array.from({ length: this.#draws.int(1, 4) }, () => ({ send: 'query', afterMs: this.#draws.int(0, 400) }) as const));
    return { name: this.#name, steps, lanes, onCancel: this.#draws.pick(['end-cancelled', 'return']) };
  }

  #steps(count: number): Step[] {
    return Array.from({ length: count }, () => this.#step());
  }

  #step(): Step {
    const { size, client, updates } = this.#options;
    const nested = size > 1 ? 1 : 0;
    const sort = this.#draws.weighted({ activity: 8, sleep: 3, signal: client ? 4 : 0, event: 3, saga: 3, child: 2 * nested, updates: client && updates ? 2 : 0, all: 2 * nested, race: 2 * nested, continue: client ? 2 : 0 });
    if (sort === 'updates') return this.#updatesStep();
    if (sort === 'all' || sort === 'race') return this.#together(sort);
    if (sort === 'continue') return { do: 'continue' };
    return this.#simple(sort);
  }

  #simple(sort: 'activity' | 'sleep' | 'signal' | 'event' | 'saga' | 'child'): Step {
    switch (sort) {
      case 'activity':
        return this.#activity();
      case 'sleep':
        return this.#sleep();
      case 'signal':
        return this.#signals < SIGNALS_MAX ? this.#signal() : this.#sleep();
      case 'event':
        return this.#event();
      case 'saga':
        return this.#saga();
      case 'child':
        return this.#child();
    }
  }

  /** A run that is asked to stop at some moment, and waits for that at the end. */
  #cancellable(): Step[] {
    const draws = this.#draws;
    const steps = Array.from({ length: draws.int(1, 2 + this.#options.size) }, () => this.#simple(draws.weighted({ activity: 4, sleep: 3, signal: 2, event: 2, saga: 4 })));
    this.#options.lanes.push([{ send: 'cancel', id: `${this.#name}:cancel`, afterMs: draws.int(0, 1_500) }]);
    return [...steps, { do: 'forever' }];
  }

  /** An operator holds the run, and lets it go on. */
  #suspension(nth: number): Sending[] {
    const draws = this.#draws;
    return [{ send: 'suspend', id: `${this.#name}:suspend-${nth}`, afterMs: draws.int(0, 800) }, { send: 'resume', id: `${this.#name}:resume-${nth}`, afterMs: draws.int(0, 800) }];
  }

  /** An operator ends the run, whatever it does; sometimes after having held it. */
  #termination(): Sending[] {
    const draws = this.#draws;
    const [suspend] = draws.chance(25) ? this.#suspension(1) : [];
    return [...(suspend ? [suspend] : []), { send: 'terminate', id: `${this.#name}:terminate`, compensate: draws.chance(50), afterMs: draws.int(0, 1_500) }];
  }

  #activity(): ActivityStep {
    return { do: 'activity', n: ++this.#n, behaviour: this.#behaviour() };
  }

  #behaviour(): Behaviour {
    const draws = this.#draws;
    if (draws.chance(this.#options.crashPercent)) return { kind: 'crash', times: 1, applied: draws.chance(50) };
    switch (draws.weighted({ ok: 50, flaky: 20, exhausted: 6, terminal: 8, slow: 6, overdue: 4, silent: 3, later: 5 })) {
      case 'ok':
        return { kind: 'ok' };
      case 'flaky':
        return { kind: 'flaky', times: draws.int(1, 3), applied: draws.chance(50) };
      case 'exhausted':
        return { kind: 'exhausted', attempts: draws.int(1, 3) };
      case 'terminal':
        return { kind: 'terminal', applied: draws.chance(40) };
      case 'slow':
        return { kind: 'slow', times: draws.int(1, 2) };
      case 'overdue':
        return { kind: 'overdue' };
      case 'silent':
        return { kind: 'silent' };
      case 'later':
        return { kind: 'later', afterMs: draws.int(1, 500) };
    }
  }

  #sleep(): SleepStep {
    return { do: 'sleep', ms: this.#duration(1, 600) };
  }

  #signal(): SignalStep {
    const draws = this.#draws;
    const signal = signalNameOf(this.#signals++);
    const timed = draws.chance(35);
    if (!timed || draws.chance(75)) this.#send({ send: 'signal', signal, id: `${this.#name}:${signal}`, value: `${signal} of ${this.#name}`, afterMs: draws.int(0, 700) });
    return { do: 'signal', signal, ...(timed && { timeoutMs: this.#duration(50, 1_500) }) };
  }

  #event(): EventStep {
    const draws = this.#draws;
    const n = ++this.#n;
    const timed = draws.chance(50);
    const insists = timed && draws.chance(50);
    if (!timed || insists || draws.chance(75)) this.#send({ send: 'event', key: eventKeyOf(this.#name, n), id: `${this.#name}:event-${n}`, value: eventValueOf(eventKeyOf(this.#name, n)), afterMs: draws.int(0, 700), early: draws.chance(30) });
    return { do: 'event', n, ...(timed && { timeoutMs: this.#duration(50, insists ? 700 : 1_500) }), ...(insists && { insists }) };
  }

  #saga(): SagaStep {
    return { do: 'saga', parts: Array.from({ length: this.#draws.int(1, 3) }, () => this.#activity()), undoAnyway: this.#draws.chance(30) };
  }

  #child(): ChildStep {
    const { draws, crashPercent, lanes, size } = this.#options;
    const n = ++this.#n;
    const name = `${this.#name}.${n}`;
    const poke = draws.chance(40) ? `poke ${name}` : undefined;
    const steps = new Maker(name, { draws, crashPercent, lanes, size: size - 1, client: false, updates: false }).#steps(draws.int(1, 3));
    const ending: Step[] = draws.chance(20) ? [{ do: 'fail' }] : [];
    return { do: 'child', n, steps: [...(poke === undefined ? [] : [{ do: 'signal', signal: signalNameOf(0) } as const]), ...steps, ...ending], ...(poke !== undefined && { poke }) };
  }

  #updatesStep(): Step {
    const draws = this.#draws;
    for (let more = draws.int(1, 2); more > 0; more--) {
      const n = ++this.#n;
      this.#updates++;
      this.#send({ send: 'update', id: `${this.#name}:update-${n}`, n, value: draws.int(0, 99), works: draws.chance(50), afterMs: draws.int(0, 400) });
    }
    // One that its validator refuses.
    if (draws.chance(30)) this.#send({ send: 'update', id: `${this.#name}:refused-${this.#n}`, n: ++this.#n, value: -1, works: false, afterMs: draws.int(0, 400) });
    return { do: 'updates', count: this.#updates };
  }

  #together(mode: 'all' | 'race'): TogetherStep {
    const draws = this.#draws;
    const weights = { activity: 5, sleep: 3, event: 2, ...(mode === 'all' && { signal: this.#options.client ? 2 : 0, saga: 1, child: 1 }) };
    const branches = Array.from({ length: draws.int(2, 4) }, () => this.#simple(draws.weighted<'activity' | 'sleep' | 'event' | 'signal' | 'saga' | 'child'>({ signal: 0, saga: 0, child: 0, ...weights })));
    return { do: 'together', mode, losers: mode === 'all' ? 'awaited' : draws.pick(['awaited', 'left']), branches };
  }

  /** No two of a program are the same. */
  #duration(min: number, max: number): number {
    let ms = this.#draws.int(min, max);
    while (this.#durations.has(ms)) ms++;
    this.#durations.add(ms);
    return ms;
  }

  #send(sending: Sending): void {
    const { lanes } = this.#options;
    // Some wait for what was sent before them, most have a lane of their own.
    if (lanes.length > 0 && this.#draws.chance(30)) lanes.at(-1)!.push(sending);
    else lanes.push([sending]);
  }
}
