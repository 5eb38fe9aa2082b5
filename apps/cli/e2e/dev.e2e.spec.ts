import { createHash } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@perdure/sdk/client';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const KEY = 'a-key-for-dev';

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(10);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** `perdure dev` as its user runs it. */
class Dev {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  output = '';

  constructor(args: readonly string[], options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }) {
    this.child = spawn(process.execPath, [MAIN, 'dev', ...args], { cwd: options.cwd, env: { ...process.env, NODE_OPTIONS: '', ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = once(this.child, 'close');
  }

  says(text: string | RegExp): Promise<void> {
    return until(() => {
      if (this.child.exitCode !== null) throw new Error(`dev ended with ${this.child.exitCode}:\n${this.output}`);
      return new RegExp(text).test(this.output);
    });
  }

  get url(): string {
    return /serving (\S+)/.exec(this.output)![1]!;
  }
  get serverPid(): number {
    return Number(/server process (\d+)/.exec(this.output)![1]);
  }
}

// Several processes start in each test, on machines that have other things to do.
jest.setTimeout(300_000);

describe('perdure dev', () => {
  let folder: string;
  let started: Dev[];
  beforeEach(() => {
    started = [];
    // Inside the workspace, where the SDK is found.
    mkdirSync(join(import.meta.dirname, '..', 'scratch'), { recursive: true });
    folder = mkdtempSync(join(import.meta.dirname, '..', 'scratch', 'dev-'));
    for (const name of ['shop.workflow.ts', 'shop.activities.ts']) copyFileSync(join(import.meta.dirname, name), join(folder, name));
  });
  afterEach(async () => {
    for (const { child, ended } of started) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true });
  });

  const dev = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Dev => {
    const made = new Dev(['shop.workflow.ts', '--activities', 'shop.activities.ts', '--port', '0', ...args], { cwd: folder, env });
    started.push(made);
    return made;
  };
  const order = async (client: Client, workflowId: string): Promise<unknown> => {
    const run = await client.start<(item: string) => Promise<string>>('order', { workflowId, input: 'tea' });
    await run.signal('pay', { by: 'Ada' });
    return run.result();
  };
  const withConfig = (): NodeJS.ProcessEnv => {
    const path = join(folder, 'perdure.json');
    writeFileSync(path, JSON.stringify({ apiKeys: [{ tenant: 'acme', sha256: createHash('sha256').update(KEY).digest('hex') }] }));
    return { PERDURE_CONFIG: path };
  };

  it('serves workflows and activities, and ends with its server when it is asked to', async () => {
    const first = dev();
    await first.says('server process');
    const client = new Client({ url: first.url });
    expect(await order(client, 'o1')).toBe('tea, paid by Ada');
    await client.close();
    first.child.kill('SIGINT');
    expect([(await first.ended)[0], isAlive(first.serverPid)]).toEqual([0, false]);
    // It ends in order: nobody complains of another that has gone.
    expect(first.output).not.toMatch(/"level"|Error|perdure worker/);
  });

  it('leaves no server behind when it is killed', async () => {
    const first = dev();
    await first.says('server process');
    first.child.kill('SIGKILL');
    await first.ended;
    await until(() => !isAlive(first.serverPid));
    // So the folder is free again.
    const second = dev();
    await second.says('server process');
  });

  it('works with API keys, and says when one is missing', async () => {
    const env = withConfig();
    const without = dev([], env);
    expect((await without.ended)[0]).toBe(7);
    expect(without.output).toContain('Send a valid API key');
    const first = dev(['--api-key', KEY], env);
    await first.says('server process');
    const client = new Client({ url: first.url, apiKey: KEY });
    expect(await order(client, 'o1')).toBe('tea, paid by Ada');
    await client.close();
  });

  it('takes port and folder from the environment, as the server does', async () => {
    const made = new Dev(['shop.workflow.ts'], { cwd: folder, env: { PERDURE_PORT: '0', PERDURE_DATA: 'elsewhere' } });
    started.push(made);
    await made.says('serving');
    expect(new URL(made.url).port).not.toBe('8080');
    expect(existsSync(join(folder, 'elsewhere'))).toBe(true);
  });

  it('does not deploy to somebody else who has its port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const second = dev(['--port', String(port)]);
    expect((await second.ended)[0]).toBe(1);
    expect(second.output).toContain(`127.0.0.1:${port} is taken`);
    expect(second.output).toContain('the server did not start');
    taken.close();
  });

  it('deploys again what changes, also after code that does not compile', async () => {
    const first = dev();
    await first.says('server process');
    const path = join(folder, 'shop.workflow.ts');
    writeFileSync(path, 'export async function order( {');
    await first.says('perdure dev: shop.workflow.ts:1');
    writeFileSync(path, 'export async function other(): Promise<number> { return 7; }');
    await first.says(/deployed \w+ with other/);
    const client = new Client({ url: first.url });
    expect(await client.execute('other', { workflowId: 'x1' })).toBe(7);
    await client.close();
  });

  it('starts the worker again that an activity has crashed, and says so', async () => {
    const path = join(folder, 'shop.activities.ts');
    writeFileSync(path, `import { existsSync, writeFileSync } from 'node:fs';
      const marker = new URL('./crashed', import.meta.url);
      export async function reserve(): Promise<string> {
        if (existsSync(marker)) return 'held';
        writeFileSync(marker, '');
        return process.exit(3);
      }
      export async function release(): Promise<void> {}`);
    const first = dev();
    await first.says('server process');
    const client = new Client({ url: first.url });
    expect(await order(client, 'o1')).toBe('tea, paid by Ada');
    expect(first.output).toContain('has ended by itself (exit code 3)');
    await client.close();
  });

  it('restarts the worker when its activities change, also after they did not load', async () => {
    const first = dev();
    await first.says('server process');
    const path = join(folder, 'shop.activities.ts');
    const replace = (text: string): void => {
      // As editors do: a new file in the old one's place.
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    replace('export async function reserve( {');
    await first.says('SyntaxError');
    replace("export async function reserve(): Promise<string> { throw new Error('sold out'); }\nexport async function release(): Promise<void> {}");
    await until(() => first.output.split('activities changed').length > 2);
    const client = new Client({ url: first.url });
    await expect(order(client, 'o1')).rejects.toMatchObject({ cause: { cause: { message: 'sold out' } } });
    await client.close();
  });
});
