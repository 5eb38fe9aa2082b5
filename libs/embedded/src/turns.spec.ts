import { describe, expect, it } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { ThreadTurns } from './turns.js';

describe('Turns of threads', () => {
  it('are taken one at a time', async () => {
    const memory = ThreadTurns.createMemory();
    const threads = [new ThreadTurns(memory), new ThreadTurns(memory), new ThreadTurns(memory)];
    let busy = 0;
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      seen.push(++busy);
      await new Promise((resolve) => setImmediate(resolve));
      busy--;
    };
    await Promise.all(threads.flatMap((turns) => Array.from({ length: 5 }, () => turns.run(work))));
    expect(seen).toEqual(Array.from({ length: 15 }, () => 1));
  });

  it('go on after one that failed', async () => {
    const turns = new ThreadTurns(ThreadTurns.createMemory());
    await expect(turns.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await turns.run(async () => 'next')).toBe('next');
  });

  it('wait for another thread', async () => {
    const memory = ThreadTurns.createMemory();
    // As `run` does it: the thread has no loader for this file's language.
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const flag = new Int32Array(workerData);
       Atomics.compareExchange(flag, 0, 0, 1);
       parentPort.postMessage('taken');
       parentPort.once('message', () => { Atomics.store(flag, 0, 0); Atomics.notify(flag, 0, 1); });`,
      { eval: true, workerData: memory },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    const told: string[] = [];
    const waited = new ThreadTurns(memory).run(async () => told.push('here'));
    await new Promise((resolve) => setImmediate(resolve));
    told.push('still there');
    worker.postMessage('give it back');
    await waited;
    await worker.terminate();
    expect(told).toEqual(['still there', 'here']);
  });
});
