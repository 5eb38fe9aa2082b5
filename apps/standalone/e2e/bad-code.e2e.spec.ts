import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { freePort } from '@perdure/servers';
import { ServerProcess, until } from './server-process.js';

/** What the code does, and how its run must stand in the end. */
const BAD: Readonly<Record<string, { readonly code: string; readonly status: 'suspended' | 'failed' | 'running' }>> = {
  endlessLoop: { code: 'for (;;);', status: 'suspended' },
  endlessRecursion: { code: 'const f = (): void => f(); f();', status: 'suspended' },
  caughtRecursion: { code: 'const f = (): void => { try { f(); } catch {} }; f();', status: 'suspended' },
  strings: { code: "const a: string[] = []; for (;;) a.push('x'.repeat(1 << 20) + a.length);", status: 'suspended' },
  caughtStrings: { code: "try { const a: string[] = []; for (;;) a.push('x'.repeat(1 << 20) + a.length); } catch {}", status: 'suspended' },
  typedArrays: { code: 'const a: Uint8Array[] = []; for (;;) a.push(new Uint8Array(65536).fill(1));', status: 'suspended' },
  closures: { code: 'const a: (() => number)[] = []; for (let i = 0; ; i++) a.push(() => i);', status: 'suspended' },
  deepJson: { code: "JSON.parse('['.repeat(5e6));", status: 'suspended' },
  regex: { code: "/^(a+)+$/.test('a'.repeat(40) + 'b');", status: 'suspended' },
  tooManyActivities: { code: 'for (let i = 0; i < 100_000; i++) void noop();', status: 'suspended' },
  never: { code: 'await new Promise(() => undefined);', status: 'running' },
  throwsNothingMuch: { code: 'throw undefined;', status: 'failed' },
  bigint: { code: 'return 1n;', status: 'failed' },
  cycle: { code: 'const a: Record<string, unknown> = {}; a.a = a; return a;', status: 'failed' },
  tampering: { code: "JSON.stringify = () => 'gone'; Promise.prototype.then = () => { throw new Error('gone'); }; Array.prototype.push = () => 0; throw new Error('tampered');", status: 'failed' },
};

const SOURCE = `
import { activities } from '@perdure/sdk/workflow';
const { noop } = activities<{ noop(): Promise<void> }>();
export async function good(): Promise<string> { await noop(); return 'good'; }
${Object.entries(BAD).map(([name, { code }]) => `export async function ${name}(): Promise<unknown> { ${code} return undefined; }`).join('\n')}
`;

const ROUNDS = 4;
/** Back, in time; that it is within 50 MiB after a thousand of them is what `test:hogs` shows. */
const RSS_GROWTH_MAX_MIB = 150;

const rssMib = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

describe('bad workflow code', () => {
  let folder: string;
  let server: ServerProcess;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-bad-'));
    server = new ServerProcess({ port: await freePort(), data: join(folder, 'data') });
    await server.start();
  });
  afterEach(async () => {
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('harms only its own run, which says why, and leaves the server its memory', async () => {
    const client = new Client({ url: server.url, retryFor: '2 minutes' });
    const made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'bad', code: made.code, sourceMap: made.sourceMap });
    const worker = new Worker({ url: server.url, activities: { noop: () => Promise.resolve() }, log: () => undefined });
    const working = worker.run();
    const goodRuns = async (name: string): Promise<void> => {
      const good = await Promise.all(Array.from({ length: 5 }, (_, k) => client.execute('good', { workflowId: `${name}-${k}` })));
      expect(good).toEqual(Array(5).fill('good'));
    };
    /** Memory that nobody holds is given back when the collector gets to it, which it does only while there is work. */
    const restingMib = async (n: number): Promise<number> => {
      await goodRuns(`rest-${n}`);
      return rssMib(server.pid);
    };
    const round = async (n: number): Promise<void> => {
      const bad = Object.keys(BAD).map((name) => client.start(name, { workflowId: `${name}-${n}` }));
      await goodRuns(`good-${n}`);
      await Promise.all(bad);
      for (const [name, { status }] of Object.entries(BAD)) {
        const handle = client.run(`${name}-${n}`);
        await until(async () => status === 'running' || (await handle.describe()).status !== 'running');
        expect({ name, status: (await handle.describe()).status }).toEqual({ name, status });
      }
    };
    await round(0);
    let leastMib = Infinity;
    for (let n = 0; n < 20; n++) leastMib = Math.min(leastMib, await restingMib(n));
    for (let n = 1; n <= ROUNDS; n++) await round(n);
    for (let n = 20; (await restingMib(n)) - leastMib > RSS_GROWTH_MAX_MIB; n++);
    expect((await client.run('strings-0').describe()).suspended).toMatchObject({ kind: 'voided', limit: 'memory' });
    await expect(client.run('bigint-0').result()).rejects.toThrow(/BigInt/i);
    await worker.shutdown();
    await working;
    await client.close();
  }, 300_000);
});
