// The load generator's process: closed loops on keep-alive connections, and nothing else.
import { DIALECTS, type Dialect } from './dialects.js';
import { EXPECTED, type RunInput } from './expected.js';
import { HttpLane, type Reply, type Request } from './http-lane.js';
import type { EachJob, GeneratorMessage, LoadJob, LoadResult, RunJob } from './load.js';

const REPORTED_MAX = 5;
/** How often a server that has waited long enough is asked again. */
const ATTACHES_MAX = 30;

const send = (message: GeneratorMessage): void => void process.send!(message);

/** What is asked of one run, and whether the answer is right. */
type Ask = (lane: HttpLane, id: string, count?: number) => Promise<{ readonly reply: Reply; readonly isRight: boolean }>;

class Recorder {
  readonly #acknowledged: string[] = [];
  readonly #wrong: string[] = [];
  readonly #failures: string[] = [];
  readonly #latenciesMs: number[] = [];
  isMeasuring = false;

  /** Whether the lane can go on. */
  async record(id: string, asked: ReturnType<Ask>): Promise<boolean> {
    const startedAt = performance.now();
    try {
      const { reply, isRight } = await asked;
      if (this.isMeasuring) this.#latenciesMs.push(performance.now() - startedAt);
      if (isRight) this.#acknowledged.push(id);
      else note(this.#wrong, `${id}: ${reply.status} ${reply.body.slice(0, 300)}`);
      return true;
    } catch (error) {
      note(this.#failures, `${id}: ${(error as Error).message}`);
      return false;
    }
  }

  result(elapsedMs: number): LoadResult {
    return { acknowledged: this.#acknowledged, wrong: this.#wrong, failures: this.#failures, latenciesMs: Float64Array.from(this.#latenciesMs), elapsedMs };
  }
}

const note = (list: string[], text: string): void => {
  if (list.length < REPORTED_MAX) list.push(text);
};

const attached = async (lane: HttpLane, dialect: Dialect, request: Request): Promise<Reply> => {
  let reply = await lane.send(request);
  for (let again = 0; again < ATTACHES_MAX && dialect.isPending?.(reply); again++) reply = await lane.send(request);
  return reply;
};

const askOf = (job: LoadJob): Ask => {
  const { workflow } = job;
  const dialect: Dialect = DIALECTS[job.system];
  const inputOf = (id: string, count = job.count): RunInput => (count === undefined ? id : { id, count });
  const checked = (reply: Reply, id: string, count = job.count ?? 0) => ({ reply, isRight: dialect.holds(reply, EXPECTED[workflow]!(id, count)) });
  switch (job.kind) {
    case 'run':
    case 'execute':
      return async (lane, id, count) => {
        const reply = await lane.send(dialect.run(workflow, id, inputOf(id, count)));
        if (!dialect.attachesAfterRun) return checked(reply, id, count);
        return reply.status < 300 ? checked(await attached(lane, dialect, dialect.attach(workflow, id)), id, count) : { reply, isRight: false };
      };
    case 'attach':
      return async (lane, id, count) => checked(await attached(lane, dialect, dialect.attach(workflow, id)), id, count);
    case 'check':
      return async (lane, id, count) => checked(await lane.send(dialect.result(workflow, id)), id, count);
    case 'start':
      return async (lane, id, count) => {
        const reply = await lane.send(dialect.start(workflow, id, inputOf(id, count)));
        return { reply, isRight: reply.status < 300 };
      };
    case 'wake':
      return async (lane, id, count) => {
        const reply = await lane.send(dialect.wake(workflow, id));
        if (reply.status >= 300) return { reply, isRight: false };
        return checked(await attached(lane, dialect, dialect.attach(workflow, id)), id, count);
      };
  }
};

const withLanes = async (job: LoadJob, use: (lanes: HttpLane[]) => Promise<LoadResult>): Promise<LoadResult> => {
  const lanes = Array.from({ length: job.concurrency }, () => new HttpLane(job.url));
  try {
    return await use(lanes);
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
};

const runForAWhile = (job: RunJob): Promise<LoadResult> =>
  withLanes(job, async (lanes) => {
    const ask = askOf(job);
    const recorder = new Recorder();
    let isStopping = false;
    const loop = async (lane: HttpLane, name: number): Promise<void> => {
      for (let n = 0; !isStopping; n++) {
        const id = `${job.prefix}-${name}-${n}`;
        if (!(await recorder.record(id, ask(lane, id)))) return;
      }
    };
    const loops = Promise.all(lanes.map(loop));
    await pause(job.warmupMs);
    recorder.isMeasuring = true;
    const startedAt = performance.now();
    send({ kind: 'measuring' });
    await Promise.race([pause(job.measureMs), loops]);
    const elapsedMs = performance.now() - startedAt;
    recorder.isMeasuring = false;
    send({ kind: 'measured' });
    isStopping = true;
    await loops;
    return recorder.result(elapsedMs);
  });

const doEach = (job: EachJob): Promise<LoadResult> =>
  withLanes(job, async (lanes) => {
    const ask = askOf(job);
    const recorder = new Recorder();
    recorder.isMeasuring = true;
    let next = 0;
    const loop = async (lane: HttpLane): Promise<void> => {
      while (next < job.ids.length) {
        const at = next++;
        const id = job.ids[at]!;
        if (!(await recorder.record(id, ask(lane, id, job.counts?.[at])))) return;
      }
    };
    const startedAt = performance.now();
    send({ kind: 'measuring' });
    await Promise.all(lanes.map(loop));
    const elapsedMs = performance.now() - startedAt;
    send({ kind: 'measured' });
    return recorder.result(elapsedMs);
  });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', (job: LoadJob) => {
  const done = job.kind === 'run' ? runForAWhile(job) : doEach(job);
  void done.then((result) => send({ kind: 'done', result }));
});
process.on('disconnect', () => process.exit(0));
send({ kind: 'ready' });
