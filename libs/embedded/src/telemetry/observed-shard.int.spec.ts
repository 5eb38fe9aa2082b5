import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { Input } from '@perdure/contract';
import { StoreFault } from '@perdure/history';
import { OneBundle } from '@perdure/history/testing';
import type { SpanReport } from '@perdure/hosting';
import { Sandbox } from '@perdure/sandbox';
import { ShardFile } from '@perdure/sqlite';
import { EmbeddedShard } from '../embedded-shard.js';

const SOURCE = `
export async function echo(text: string): Promise<string> { console.log('heard ' + text); return text; }
export async function wild(): Promise<void> { for (;;); }
`;
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Refuses its next transaction when told to. */
class MoodyFile extends ShardFile {
  isMoody = false;
  override transaction<T>(write: () => T): T {
    if (!this.isMoody) return super.transaction(write);
    this.isMoody = false;
    throw new StoreFault('unavailable', 'not now');
  }
}

describe('a shard that is observed', () => {
  let file: MoodyFile;
  let shard: EmbeddedShard;
  let reports: SpanReport[];
  let lines: object[];
  let hash: string;

  beforeEach(async () => {
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    ({ hash } = made);
    file = new MoodyFile({ path: ':memory:' });
    reports = [];
    lines = [];
    const snapshotKey = new Uint8Array(32);
    shard = await EmbeddedShard.open({
      file, bundles: new OneBundle(made), sandbox: await Sandbox.create({ limits: { activationMs: 300 }, snapshotKey }), clock: new ManualClock(), random: () => 0.5, snapshotKey,
      onSpans: (report) => reports.push(report), log: (_level, message, fields) => lines.push({ message, ...fields }),
    });
  });
  afterEach(() => shard.close());

  const start = (workflowType = 'echo'): Promise<unknown> => shard.append([{ id: 'start', tenant: 't', workflowId: 'w', at: 0, trace: TRACE, kind: 'start', workflowType, newRunId: 'r', bundle: hash, input: 'a' } satisfies Input]);
  const total = async (name: string): Promise<number> => (await shard.metrics()).flat().find((each) => each.name === name)!.values.reduce((sum, { value }) => sum + value, 0);

  it('is not told of a batch that the store did not take', async () => {
    file.isMoody = true;
    await expect(start()).rejects.toMatchObject({ code: 'unavailable' });
    expect([reports, await total('perdure_runs_started_total')]).toEqual([[], 0]);
    await start();
    expect(reports.flatMap(({ spans }) => spans)).toMatchObject([{ kind: 'input', input: 'start', closed: 'completed', run: { runId: 'r' } }]);
    expect([await total('perdure_runs_started_total'), await total('perdure_runs_closed_total')]).toEqual([1, 1]);
  });

  it('counts a run that is suspended and says why, for it waits for an operator', async () => {
    await start('wild');
    expect(await total('perdure_runs_suspended_total')).toBe(1);
    expect(lines).toMatchObject([{ message: 'a run was suspended', workflowId: 'w', runId: 'r', reason: 'voided', why: 'the activation ran longer than it may', trace_id: TRACE.slice(3, 35) }]);
  });

  it('names the run and its trace in what workflow code writes', async () => {
    await start();
    const [{ spans }] = reports as [SpanReport];
    expect(lines).toEqual([{ message: 'heard a', tenant: 't', workflowId: 'w', runId: 'r', source: 'workflow', trace_id: TRACE.slice(3, 35), span_id: (spans[0] as { spanId: string }).spanId }]);
  });
});
