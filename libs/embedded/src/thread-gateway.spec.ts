import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { ThreadGateway } from './thread-gateway.js';

describe('ThreadGateway', () => {
  it('ends the process when a message of the shard cannot be read, for its answers are lost', () => {
    const worker = new EventEmitter();
    const reasons: string[] = [];
    new ThreadGateway(worker as Worker, (reason) => reasons.push(reason));
    worker.emit('messageerror', new RangeError('Maximum call stack size exceeded'));
    expect(reasons).toEqual(['A message of the shard cannot be read: Maximum call stack size exceeded']);
  });
});
