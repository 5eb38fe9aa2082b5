import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { busyOf, parseStat, threadGroups, treeOf, usageOf, usageOfTree, type Usage } from './process-usage.js';

const thread = (name: string, cpuS: number): { name: string; cpuS: number } => ({ name, cpuS });
const usage = (...threads: [number, string, number][]): Usage => ({ cpuS: 0, rssBytes: 0, threads: new Map(threads.map(([id, name, cpuS]) => [id, thread(name, cpuS)])) });

describe('process usage', () => {
  it('reads a name that holds spaces and parentheses', () => {
    expect(parseStat('42 (a (b) c) S 1 42 42 0 -1 4194304 90 0 0 0 150 25 40 10 20 0 1 0 100 1000 10')).toEqual({ name: 'a (b) c', cpuS: 1.75, endedChildrenS: 0.5 });
  });

  it('groups threads: the main one, those that share a name, the rest', () => {
    const before = usage([7, 'node', 1], [8, 'shard-0', 1], [9, 'shard-1', 1]);
    const after = usage([7, 'node', 2], [8, 'shard-0', 1.5], [9, 'shard-1', 3], [10, 'node', 0.25]);
    expect(threadGroups(7, before, after)).toEqual({ main: 1, shard: 2.5, helpers: 0.25 });
  });

  it('knows what a process has started, and counts it until after its end', async () => {
    const child = fork('-e', ["process.on('message', () => 0); process.send(1)"], { execArgv: [] });
    await once(child, 'message');
    expect(treeOf(process.pid)).toContain(child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(treeOf(process.pid)).not.toContain(child.pid);

    const [ownS, beforeS] = [usageOf(process.pid).cpuS, usageOfTree(process.pid).cpuS];
    const { status } = spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 200_000);']);
    expect(status).toBe(0);
    const spentS = usageOf(process.pid).cpuS - ownS;
    expect(usageOfTree(process.pid).cpuS - beforeS - spentS).toBeGreaterThan(0.15);
  });

  it('adds up what the machine did, without its waiting', () => {
    expect(busyOf('cpu  100 20 30 4000 500 6 7 8 9 10\ncpu0 1 1 1 1\n')).toBeCloseTo(1.71);
  });
});
