import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import type { Followed, follow, Following } from '../src/follow.workflow.js';
import { githubSource } from '../src/github-source.js';
import { inDisorder, seeded } from './disorder.js';
import { allDeliveries, bySubject, deliveryOf, nameOf, type Delivery, type Payload, type Subject } from './payloads.js';
import { sendAll, type Acknowledged } from './sender.js';
import { ServerProcess } from './server-process.js';

const SEED = Number(process.env['SEED'] ?? 20_260_401);
const SECRET = 'a secret between GitHub and this test';
const TENANT = 'demo';
/** So many runs take one event each, beside the run that takes the rest in a loop. */
const SINGLES = 8;
const ENDED_WITHIN_MS = 60_000;

/** The part of a history's event that is compared. */
interface HistoryEvent {
  readonly kind: string;
  readonly event?: { readonly id: string; readonly type: string; readonly data: Payload; readonly keys: Readonly<Record<string, string | number>> };
}

interface Planned {
  readonly workflowId: string;
  readonly input: Following & { readonly count: number };
}

/** What was seen of one run. */
interface Observed {
  readonly workflowId: string;
  readonly count: number;
  readonly history: readonly HistoryEvent[];
  readonly taken: readonly Delivery[];
  readonly result?: Followed;
}

const deliveries = allDeliveries();
/** After everything else one more for each subject: who had taken something twice would end without it, and who had missed something would not end. */
const lasts = [...bySubject(deliveries).values()].map(([first]) => lastOf(first!.about!));
const expected = bySubject([...deliveries, ...lasts]);

function lastOf({ repository, number }: Subject): Delivery {
  return deliveryOf(`last-${repository}-${number}`, 'issues', { action: 'deleted', issue: { number }, repository: { full_name: repository } });
}

/** A subject with many events has several runs: one in a loop, the others for one event each. */
const planFor = (name: string, all: readonly Delivery[]): Planned[] => {
  const about = all[0]!.about!;
  const singles = all.length > 2 * SINGLES ? SINGLES : 0;
  const looping: Planned = { workflowId: name, input: { ...about, count: all.length - singles } };
  return [looping, ...Array.from({ length: singles }, (_, index): Planned => ({ workflowId: `${name}/${index}`, input: { ...about, count: 1 } }))];
};

describe('the standalone server and every webhook example of GitHub', () => {
  let folder: string;
  let server: ServerProcess;
  let client: Client;
  const acknowledged: Acknowledged[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-github-'));
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify({ webhooks: { github: githubSource(TENANT, SECRET) } }));
    server = await ServerProcess.start({ PERDURE_DATA: join(folder, 'data'), PERDURE_CONFIG: config, PERDURE_TENANT: TENANT });
    client = new Client({ url: server.url, tenant: TENANT });
    const made = await bundle({ entry: fileURLToPath(new URL('../src/follow.workflow.ts', import.meta.url)) });
    await client.deploy({ name: 'issue-tracker', code: made.code, sourceMap: made.sourceMap });
  }, 120_000);

  afterAll(async () => {
    await client?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Sends all of them; in the middle of it, with others under way, the server is killed. */
  const sendThroughAKill = async (some: readonly Delivery[]): Promise<void> => {
    const killAt = Math.floor(some.length / 2);
    const onAcknowledged = (count: number): void => {
      if (count === killAt) server.killAndRestart().catch(() => undefined); // The senders wait for the same promise, and fail by it.
    };
    acknowledged.push(...(await sendAll(some, { server, secret: SECRET, onAcknowledged })));
  };

  const start = (workflowId: string, input: Following) => client.start<typeof follow>('follow', { workflowId, input });

  const historyOf = async (workflowId: string): Promise<readonly HistoryEvent[]> => {
    const answer = await fetch(`${server.url}/v1/workflows/${encodeURIComponent(workflowId)}/history?limit=1000`);
    return ((await answer.json()) as { readonly events: readonly HistoryEvent[] }).events;
  };

  it(`gives each run each of its events once and nothing else, through disorder, repeats and two kills (seed ${SEED})`, async () => {
    const { before, after } = inDisorder(deliveries, seeded(SEED));
    const plans = [...expected].map(([name, all]) => ({ name, all, runs: planFor(name, all) }));

    await sendThroughAKill(before);
    for (const { runs } of plans) for (const { workflowId, input } of runs) await start(workflowId, input);
    await sendThroughAKill(after);
    acknowledged.push(...(await sendAll(lasts, { server, secret: SECRET })));

    const results: Observed[] = [];
    const waited = AbortSignal.timeout(ENDED_WITHIN_MS);
    for (const { name, all, runs } of plans) {
      const received: Delivery[] = [];
      for (const { workflowId, input } of runs) {
        // A run that misses something does not end; its history then says what it has.
        const result = await client.run<typeof follow>(workflowId).result({ signal: waited }).catch(() => undefined);
        const history = await historyOf(workflowId);
        const taken = takenIn(history);
        received.push(...taken);
        results.push({ workflowId, history, taken, count: input.count, ...(result ? { result } : {}) });
      }
      expect({ name, ids: sorted(received).map(({ id }) => id) }).toEqual({ name, ids: sorted(all).map(({ id }) => id) });
      expect(sorted(received)).toEqual(sorted(all));
    }
    for (const { workflowId, history, taken, count, result } of results) {
      expect(result).toEqual({ ended: 'count', activities: taken.map(activityOf) });
      expect(await client.run(workflowId).query<void, Followed['activities']>('activities')).toEqual(result?.activities);
      expect(shapeOf(history)).toEqual({ started: 1, waitOpened: count, eventReceived: count, completed: 1, all: 2 * count + 2 });
    }
    expect(server.kills).toBe(2);
    expect(acknowledged.filter(({ tries }) => tries > 1).length).toBeGreaterThan(0); // The kills hit deliveries under way.
  }, 240_000);

  it('acknowledged every delivery as often as it was sent, those about no issue as no event', () => {
    expect(deliveries).toHaveLength(329);
    expect(acknowledged.map(({ delivery }) => delivery.id).sort()).toEqual([...deliveries, ...deliveries, ...lasts].map(({ id }) => id).sort());
    for (const { delivery, events } of acknowledged) expect({ id: delivery.id, events: events.length }).toEqual({ id: delivery.id, events: delivery.about ? 1 : 0 });
  });

  it('leaves nothing over for a later run, nor for one that follows what no delivery is about', async () => {
    const subjects = [...lasts.map(({ about }) => about!), { repository: 'Codertocat/Hello-World', number: 3 }];
    const runs = await Promise.all(subjects.map((about) => start(`${nameOf(about)}/later`, { ...about, quietFor: '1s' })));
    for (const run of runs) expect(await run.result()).toEqual({ ended: 'quiet', activities: [] });
  }, 60_000);
});

/** The deliveries that a run's history says it took. */
const takenIn = (history: readonly HistoryEvent[]): Delivery[] => history.flatMap(({ event }) => (event ? [deliveryOf(event.id, String(event.keys['event']), event.data)] : []));

/** How many events there are of each kind that may be there, and of all kinds. */
const shapeOf = (history: readonly HistoryEvent[]): Record<string, number> => {
  const counts = ['started', 'waitOpened', 'eventReceived', 'completed'].map((kind) => [kind, history.filter((each) => each.kind === kind).length]);
  return { ...Object.fromEntries(counts), all: history.length };
};

const activityOf = ({ id, event, payload }: Delivery): Followed['activities'][number] => ({ delivery: id, event, ...(payload.action === undefined ? {} : { action: payload.action }) });

const sorted = (some: readonly Delivery[]): Delivery[] => [...some].sort((a, b) => a.id.localeCompare(b.id));
