import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Worker } from '@perdure/sdk/node';
import { DevServer } from '../src/dev/dev-server.js';
import { run } from '../src/run.js';
import * as shop from './shop.activities.js';

const ENTRY = join(import.meta.dirname, 'shop.workflow.ts');

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What differs from run to run, by what it is. */
const plain = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'RUN')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH12')
    .replaceAll(/\+\d[\w. ]*?(?= {2}|\n|$)/g, '+SINCE')
    .replaceAll(/ {2,}/g, '  ');

jest.setTimeout(300_000);

describe('perdure', () => {
  let folder: string;
  let server: DevServer;
  let url: string;
  let worker: Worker;
  let working: Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-cli-'));
    server = new DevServer({ port: 0, data: join(folder, 'data'), print: () => undefined });
    url = await server.listening;
    worker = new Worker({ url, activities: shop, log: () => undefined });
    working = worker.run();
  });
  afterAll(async () => {
    await worker.shutdown();
    await working;
    server.stop();
    await server.ended;
    rmSync(folder, { recursive: true });
  });

  const perdureAt = async (at: string, args: readonly string[]): Promise<Said> => {
    const said = { out: [] as string[], err: [] as string[] };
    const code = await run(['--url', at, ...args], { out: (text) => said.out.push(text), err: (text) => said.err.push(text) });
    return { code, out: said.out.join('\n'), err: said.err.join('\n') };
  };
  const perdure = (...args: string[]): Promise<Said> => perdureAt(url, args);
  /** What it says when all goes well. */
  const says = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await perdure(...args);
    expect([code, err]).toEqual([0, '']);
    return plain(out);
  };
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await perdure(...args, '--json')).out);

  it('says that there is nothing yet', async () => {
    expect([await says('list'), await says('bundles')]).toEqual(['no runs', 'no bundles']);
  });

  it('deploys, and shows what is deployed', async () => {
    expect(await says('deploy', ENTRY, '--name', 'shop')).toMatch(/^deployed HASH12 with broken, gate, order \(\d+ KB\)$/);
    expect((await says('bundles')).split('\n')).toEqual([
      'BUNDLE  NAME  WORKFLOWS  DEFAULT FOR  DEPLOYED  OPEN RUNS  RETIRABLE',
      'HASH12  shop  broken, gate, order  broken, gate, order  TIME  0  no: it is the default for broken, gate, order',
    ]);
    expect(await json('bundles')).toEqual([expect.objectContaining({ name: 'shop', retirable: false })]);
  });

  it('takes a run from its start to its end', async () => {
    expect(await says('start', 'order', '--id', 'o1', '--input', '"tea"', '--attr', 'shelf=7', '--attr', 'city=Rome')).toBe('started order "o1", run RUN');
    expect(await says('start', 'order', '--id', 'o1', '--input', '"tea"')).toBe('order "o1" was started already, run RUN');
    expect(await says('update', 'o1', 'addItem', '--input', '"milk"')).toBe('2');
    expect(await says('query', 'o1', 'items')).toBe('[\n  "tea",\n  "milk"\n]');
    expect(await says('suspend', 'o1', '--reason', 'a look')).toBe('suspended "o1"');
    expect(await says('show', 'o1')).toContain('\nsuspended  by an operator: a look\n');
    expect(await says('resume', 'o1', '--reason', 'seen')).toBe('resumed "o1"');
    expect(await says('signal', 'o1', 'pay', '--input', '{"by":"Ada"}')).toBe('sent pay to "o1"');
    expect(await says('result', 'o1')).toBe('"tea and milk, paid by Ada"');
    expect(await says('show', 'o1')).toBe(
      [
        'order "o1"  completed', 'run  RUN', 'bundle  HASH12', 'started  TIME, closed +SINCE', 'attributes  shelf=7 city=Rome', '',
        '  1  +SINCE  started  order("tea")',
        '  2  +SINCE  undoRegistered  release for #1',
        '  3  +SINCE  activityScheduled  #1 reserve("tea")',
        '  4  +SINCE  activityClosed  #1 → "hold-tea"',
        '  5  +SINCE  timerStarted  #2 for 7d',
        '  6  +SINCE  updateAccepted  addItem("milk")',
        '  7  +SINCE  updateCompleted  → 2',
        '  8  +SINCE  suspended  by an operator: a look',
        '  9  +SINCE  resumed  seen',
        '  10  +SINCE  signalReceived  pay({"by":"Ada"})',
        '  11  +SINCE  timerCancelled  #2',
        '  12  +SINCE  completed  → "tea and milk, paid by Ada"',
      ].join('\n'),
    );
  });

  it('reads input from a file', async () => {
    const path = join(folder, 'input.json');
    writeFileSync(path, '"tea"');
    await says('start', 'order', '--id', 'f1', '--input', `@${path}`);
    expect(await json('query', 'f1', 'items')).toEqual(['tea']);
  });

  it('lists by filter, and says when there is more', async () => {
    await says('start', 'gate', '--id', 'g1');
    await says('start', 'gate', '--id', 'g2');
    expect(await says('list', '--type', 'gate', '--limit', '1')).toBe('WORKFLOW ID  WORKFLOW  STATUS  STARTED  EVENTS\ng2  gate  running  TIME  1\n(the newest 1; --limit shows more)');
    expect(await says('list', '--attr', 'shelf=7')).toContain('o1  order  completed');
    expect(await says('list', '--id', 'g1')).toBe('WORKFLOW ID  WORKFLOW  STATUS  STARTED  EVENTS  RUN\ng1  gate  running  TIME  1  RUN');
    expect(await says('list', '--status', 'failed')).toBe('no runs');
    expect(await json('list', '--type', 'gate')).toEqual([expect.objectContaining({ workflowId: 'g2' }), expect.objectContaining({ workflowId: 'g1' })]);
  });

  it('cancels and terminates, and shows what was undone', async () => {
    for (const id of ['c1', 't1']) await says('start', 'order', '--id', id, '--input', '"tea"');
    expect(await says('cancel', 'c1', '--reason', 'too late')).toBe('asked "c1" to stop');
    expect(await perdure('result', 'c1')).toMatchObject({ code: 5, err: expect.stringContaining('perdure: Workflow "c1" was cancelled') });
    expect(await says('show', 'c1')).toMatch(/compensationRequested {2}#\d undo what was done, last first\n.* compensated {2}#\d all undone\n.* cancelled /);
    expect(await says('terminate', 't1', '--compensate', '--reason', 'enough')).toBe('terminated "t1"');
    expect(await says('show', 't1')).toMatch(/terminated {2}enough; undo what was done/);
  });

  it('says why and where a run failed', async () => {
    const failed = await perdure('start', 'broken', '--id', 'b1', '--input', '"this"', '--wait');
    expect(failed).toEqual({ code: 5, out: '', err: expect.stringMatching(/^perdure: Workflow "b1" failed: no good: this\n {2}TypeError: no good: this\n {4}at giveUp \(shop\.workflow\.ts:35:\d+\)\n {4}at broken \(shop\.workflow\.ts:31:\d+\)$/) });
    expect(await says('show', 'b1')).toMatch(/failed {2}✗ TypeError: no good: this\n {2}at giveUp \(/);
    expect(JSON.parse((await perdure('result', 'b1', '--json')).err)).toMatchObject({ workflowId: 'b1', status: 'failed', error: { type: 'TypeError', message: 'no good: this' } });
  });

  it('says at which attempt an open activity is, and why the last one failed', async () => {
    await says('start', 'order', '--id', 'u1', '--input', '"unicorn"');
    let shown = '';
    while (!shown.includes('failed')) shown = await says('show', 'u1');
    expect(shown).toMatch(/\n\nopen activities\n {2}#1 reserve {2}attempt 2, 1 failed, not before TIME: RetryableError: sold out$/);
    expect(JSON.parse((await perdure('show', 'u1', '--json')).out)).toMatchObject({ tasks: [{ seq: 1, attempt: 2, failures: 1, lastFailure: { message: 'sold out' } }] });
    await says('terminate', 'u1');
    while ((await says('show', 'u1')).includes('open activities'));
  });

  it('says that the run whose result it waits for is suspended, once, and goes on waiting', async () => {
    await says('start', 'gate', '--id', 's1');
    await says('suspend', 's1', '--reason', 'a look');
    const said: string[] = [];
    const waiting = run(['--url', url, 'result', 's1'], { out: (text) => said.push(text), err: (text) => said.push(text) });
    while (said.length === 0) await new Promise(setImmediate);
    expect(said).toEqual([expect.stringContaining('perdure: "s1" is suspended, by an operator: a look\n')]);
    await says('resume', 's1');
    await says('signal', 's1', 'pay', '--input', '{}');
    expect([await waiting, said.slice(1)]).toEqual([0, ['completed without a value']]);
  });

  it('ends a suspended run as failed', async () => {
    await says('suspend', 'g2');
    expect(await says('resume', 'g2', '--fail')).toBe('ended "g2" as failed');
    expect((await perdure('result', 'g2')).code).toBe(5);
  });

  it('takes a bundle by the beginning of its hash, for a start, a resume and its retirement', async () => {
    const [{ hash }] = (await json('bundles')) as [{ hash: string }];
    const short = hash.slice(0, 12);
    await says('start', 'gate', '--id', 'g3', '--bundle', short);
    await says('suspend', 'g3');
    expect(await says('resume', 'g3', '--bundle', short)).toBe('resumed "g3"');
    expect(await perdure('bundles', '--retire', short)).toMatchObject({ code: 4, err: expect.stringContaining('[bundle-in-use]') });
  });

  it('prints JSON wherever it is asked for', async () => {
    expect(await json('start', 'gate', '--id', 'j1')).toEqual({ workflowId: 'j1', runId: expect.any(String), created: true });
    expect(await json('show', 'j1')).toMatchObject({ run: { workflowId: 'j1' }, events: [{ kind: 'started' }] });
    expect(await json('suspend', 'j1')).toEqual({ workflowId: 'j1', operation: 'suspend', status: 'accepted' });
    await json('resume', 'j1');
    expect(await json('signal', 'j1', 'pay', '--input', '{}')).toEqual({ workflowId: 'j1', signal: 'pay', status: 'accepted' });
    expect(await json('result', 'j1')).toBeNull();
    expect(await json('deploy', ENTRY)).toMatchObject({ workflows: ['broken', 'gate', 'order'] });
    for (const args of [['show', 'nobody'], ['list', '--limit', '1', '--tenant', 'other']]) {
      expect(JSON.parse((await perdure(...args, '--json')).err)).toEqual({ code: expect.any(String), detail: expect.any(String) });
    }
  });

  describe('exit codes', () => {
    const missing = join(tmpdir(), 'perdure-nowhere.json');
    it.each<[code: number, what: string, args: string[]]>([
      [0, 'help', ['help']],
      [0, 'help of a command', ['start', '--help']],
      [0, 'its version', ['--version']],
      [2, 'an unknown command', ['strat']],
      [2, 'a missing argument', ['start']],
      [2, 'input that is no JSON', ['start', 'gate', '--input', 'tea']],
      [2, 'input from a file that is not there', ['start', 'gate', '--input', `@${missing}`]],
      [2, 'a status that is none', ['list', '--status', 'odd']],
      [2, 'a limit that is no number', ['list', '--limit', 'all']],
      [2, 'an attribute without a value', ['list', '--attr', 'city']],
      [2, 'a duration that is none', ['start', 'gate', '--timeout', '3 lightyears']],
      [2, 'an id with a control character', ['start', 'gate', '--id', 'a\u0007']],
      [2, 'a file that is not there', ['deploy', missing]],
      [2, 'a port that is none', ['dev', ENTRY, '--port', '80808']],
      [2, 'activities that are not there', ['dev', ENTRY, '--activities', missing]],
      [3, 'a workflow that is not there', ['start', 'nothing']],
      [3, 'a run that is not there', ['show', 'nobody']],
      [3, 'the result of a run that is not there', ['result', 'nobody']],
      [3, 'a signal that is not there', ['signal', 'g1', 'push']],
      [3, 'a query that is not there', ['query', 'g1', 'age']],
      [3, 'an update that is not there', ['update', 'g1', 'push']],
      [3, 'a bundle to start on that is not there', ['start', 'gate', '--bundle', 'abc']],
      [3, 'a bundle that is not there', ['bundles', '--retire', 'abc']],
      [4, 'a start with other input', ['start', 'order', '--id', 'o1', '--input', '"coffee"']],
      [4, 'a closed run', ['cancel', 'o1']],
      [4, 'a run that is not suspended', ['resume', 'g1']],
      [4, 'an update that is refused', ['update', 'f1', 'addItem', '--input', '""']],
      [4, 'a bundle that does not compile', ['deploy', join(import.meta.dirname, '../src/main.ts')]],
      [5, 'a run that was terminated', ['result', 't1']],
      [7, 'another tenant', ['list', '--tenant', 'other']],
    ])('%i for %s', async (code, _what, args) => {
      const said = await perdure(...args);
      expect([said.code, said.err === '']).toEqual([code, code === 0]);
    });

    it('6 for no server, with what to do', async () => {
      expect(await perdureAt('http://127.0.0.1:1', ['list'])).toEqual({ code: 6, out: '', err: expect.stringContaining('start one with "npm start"') });
    });

    it('2 for an address that is none', async () => {
      for (const address of ['nonsense', 'ftp://localhost']) expect(await perdureAt(address, ['list'])).toMatchObject({ code: 2, err: expect.stringContaining(`"${address}" is no URL`) });
    });
  });
});
