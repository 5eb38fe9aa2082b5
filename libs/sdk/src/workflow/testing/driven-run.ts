import { createContext, Script, type Context } from 'node:vm';
import { bundle } from '@perdure/bundler';
import type { ActivationOutput, Command, Job, Json, Started } from '@perdure/contract';
import { Sandbox } from '@perdure/sandbox';

/** Evaluates bundles and hands them jobs. */
export interface Engine {
  open(code: string, hash: string): (job: string, kind: string) => string;
  dispose(): void;
}

export const ENGINES: readonly (readonly [name: string, create: () => Promise<Engine>])[] = [
  ['node:vm', () => Promise.resolve({ open: openInVm, dispose: () => undefined })],
  ['the sandbox', openSandbox],
];

const openInVm = (code: string): ((job: string) => string) => {
  const context: Context & { job?: string } = createContext({}, { microtaskMode: 'afterEvaluate' });
  new Script(code, { filename: 'bundle.js' }).runInContext(context);
  const [activate, drain] = [new Script('__perdure.activate(job)'), new Script('__perdure.drain()')];
  return (job) => {
    context.job = job;
    activate.runInContext(context);
    for (;;) {
      const output = drain.runInContext(context) as string;
      if (output !== '') return output;
    }
  };
};

async function openSandbox(): Promise<Engine> {
  const sandbox = await Sandbox.create();
  return {
    open: (code, hash) => {
      sandbox.loadBundle({ code, hash });
      const realm = sandbox.openRealm(hash);
      return (job, kind) => {
        const activation = kind === 'query' ? realm.probe(job) : realm.activateUnless(job, (output) => output.includes('"refused":'));
        if (activation.kind === 'voided') throw new Error(`voided (${activation.reason}): ${activation.message}`);
        return activation.output;
      };
    },
    dispose: () => sandbox.dispose(),
  };
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** One run of the workflow `main` (or another), driven job by job. Each job is a second later than the one before. */
export class DrivenRun {
  readonly #send: (job: string, kind: string) => string;
  #now = 1_700_000_000_000;
  /** The last activation's output. */
  last: ActivationOutput = { commands: [] };

  private constructor(send: (job: string, kind: string) => string) {
    this.#send = send;
  }

  /** Bundles the source, whose imports from the SDK may be left out. */
  static async open(engine: Engine, source: string): Promise<DrivenRun> {
    const { code, hash } = await bundle({ source: `import * as sdk from '@perdure/sdk/workflow';\n${source}`, resolveDir: import.meta.dirname });
    return new DrivenRun(engine.open(code, hash));
  }

  start(input?: Json, more: Partial<Started> = {}): readonly Command[] {
    const run = { tenant: 'demo', workflowId: 'order-7', runId: 'run-1' };
    const pin = { bundle: 'b', abi: 1, sandbox: 's' };
    return this.job({ kind: 'started', run, workflowType: 'main', pin, chain: run.runId, ...(input !== undefined && { input }), ...more });
  }

  job(job: WithoutTime<Job>): readonly Command[] {
    this.#now += 1_000;
    this.last = JSON.parse(this.#send(JSON.stringify({ ...job, at: this.#now }), job.kind)) as ActivationOutput;
    return this.last.commands;
  }

  completed(seq: number, value?: Json): readonly Command[] {
    return this.job({ kind: 'activityClosed', seq, attempts: 1, outcome: { status: 'completed', ...(value !== undefined && { value }) } });
  }

  fired(seq: number): readonly Command[] {
    return this.job({ kind: 'timerFired', seq });
  }

  signal(name: string, input?: Json): readonly Command[] {
    return this.job({ kind: 'signalReceived', id: `signal-${name}`, name, ...(input !== undefined && { input }) });
  }

  query(name: string, input?: Json): ActivationOutput['answer'] {
    this.job({ kind: 'query', name, ...(input !== undefined && { input }) });
    return this.last.answer;
  }
}
