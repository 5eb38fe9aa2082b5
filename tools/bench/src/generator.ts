// The load generator's process: a closed loop on keep-alive connections, and nothing else.
import { DIALECTS, EXPECTED } from './dialects.js';
import { HttpLane } from './http-lane.js';
import type { CheckJob, GeneratorMessage, LoadJob, LoadResult } from './load.js';

const REPORTED_MAX = 5;
const CHECK_LANES = 16;

const send = (message: GeneratorMessage): void => void process.send!(message);

class Recorder {
  readonly acknowledged: string[] = [];
  readonly wrong: string[] = [];
  readonly failures: string[] = [];
  readonly latenciesMs: number[] = [];
  measuring = false;

  record(latencyMs: number): void {
    if (this.measuring) this.latenciesMs.push(latencyMs);
  }

  note(list: string[], text: string): void {
    if (list.length < REPORTED_MAX) list.push(text);
  }

  result(elapsedMs: number): LoadResult {
    const { acknowledged, wrong, failures, latenciesMs } = this;
    return { acknowledged, wrong, failures, latenciesMs: Float64Array.from(latenciesMs), elapsedMs };
  }
}

const load = async ({ system, url, workflow, concurrency, prefix, warmupMs, measureMs }: LoadJob): Promise<LoadResult> => {
  const dialect = DIALECTS[system];
  const expected = EXPECTED[workflow]!;
  const recorder = new Recorder();
  let stopping = false;
  const loop = async (lane: HttpLane, name: number): Promise<void> => {
    for (let n = 0; !stopping; n++) {
      const id = `${prefix}-${name}-${n}`;
      const request = dialect.run(workflow, id);
      const startedAt = performance.now();
      const reply = await lane.send(request).catch((error: Error) => error);
      if (reply instanceof Error) {
        recorder.note(recorder.failures, `${id}: ${reply.message}`);
        return;
      }
      recorder.record(performance.now() - startedAt);
      if (dialect.holds(reply, expected(id))) recorder.acknowledged.push(id);
      else recorder.note(recorder.wrong, `${id}: ${reply.status} ${reply.body.slice(0, 300)}`);
    }
  };
  const lanes = Array.from({ length: concurrency }, () => new HttpLane(url));
  const loops = Promise.all(lanes.map(loop));
  await pause(warmupMs);
  recorder.measuring = true;
  const startedAt = performance.now();
  send({ kind: 'measuring' });
  await Promise.race([pause(measureMs), loops]);
  const elapsedMs = performance.now() - startedAt;
  recorder.measuring = false;
  send({ kind: 'measured' });
  stopping = true;
  await loops;
  await Promise.all(lanes.map((lane) => lane.close()));
  return recorder.result(elapsedMs);
};

const check = async ({ system, url, workflow, ids }: CheckJob): Promise<LoadResult> => {
  const dialect = DIALECTS[system];
  const expected = EXPECTED[workflow]!;
  const recorder = new Recorder();
  const startedAt = performance.now();
  let next = 0;
  const loop = async (lane: HttpLane): Promise<void> => {
    while (next < ids.length) {
      const id = ids[next++]!;
      const reply = await lane.send(dialect.result(workflow, id));
      if (dialect.holds(reply, expected(id))) recorder.acknowledged.push(id);
      else recorder.note(recorder.wrong, `${id}: ${reply.status} ${reply.body.slice(0, 300)}`);
    }
  };
  const lanes = Array.from({ length: CHECK_LANES }, () => new HttpLane(url));
  await Promise.all(lanes.map(loop));
  await Promise.all(lanes.map((lane) => lane.close()));
  return recorder.result(performance.now() - startedAt);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

process.on('message', (job: LoadJob | CheckJob) => {
  const done = job.kind === 'run' ? load(job) : check(job);
  void done.then((result) => send({ kind: 'done', result }));
});
process.on('disconnect', () => process.exit(0));
send({ kind: 'ready' });
