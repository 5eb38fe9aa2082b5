import type { ActivityOptions, Command } from '@perdure/contract';
import { Voided, type Script } from './fake-realms.js';

const OPTIONS: ActivityOptions = { queue: 'default', startToCloseTimeoutMs: 60_000, retry: { maxAttempts: 0, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 } };

export const schedule = (seq: number, name = 'add'): Command => ({ kind: 'scheduleActivity', seq, name, input: seq, options: OPTIONS });

/** `count` activities, one after the other; the result is the sum of their values and signals. Query `sum`. */
export const steps = (count: number): Script => (job, memory) => {
  memory.sum ??= 0;
  switch (job.kind) {
    case 'started':
      return [schedule((memory.seq = 1))];
    case 'activityClosed':
      memory.sum += job.outcome.status === 'completed' ? Number(job.outcome.value) : 0;
      return memory.seq! < count ? [schedule((memory.seq = memory.seq! + 1))] : [{ kind: 'complete', result: memory.sum }];
    case 'signalReceived':
      if (job.name === 'void') throw new Voided('took too long');
      memory.sum += Number(job.input);
      if (job.name === 'crash') throw new Error('the host has a bug');
      return job.name === 'add' ? undefined : { refused: { code: 'unknown-signal', message: `no signal "${job.name}"`, known: ['add'] } };
    case 'query':
      return job.name === 'sum' ? { answer: { value: memory.sum } } : { refused: { code: 'unknown-query', message: `no query "${job.name}"` } };
    case 'updateAccepted':
      memory.sum += Number(job.input);
      return [{ kind: 'completeUpdate', updateId: job.id, outcome: { status: 'completed', value: memory.sum } }];
    default:
      return undefined;
  }
};
