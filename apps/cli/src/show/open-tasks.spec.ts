import { describe, expect, it } from '@jest/globals';
import type { TaskView } from '@perdure/contract';
import { openTasks } from './open-tasks.js';

const TASK: TaskView = { run: { tenant: 't', workflowId: 'w', runId: 'r' }, seq: 3, role: 'activity', name: 'charge', queue: 'default', scheduledAt: 0, attempt: 1, failures: 0, crashes: 0 };

describe('openTasks', () => {
  it('says nothing where nothing is open', () => {
    expect(openTasks([])).toBe('');
  });

  it.each<[Partial<TaskView>, string]>([
    [{}, '#3 charge  attempt 1'],
    [{ attempt: 4, failures: 3, notBefore: 6_000, lastFailure: { type: 'Declined', message: 'no money' } }, '#3 charge  attempt 4, 3 failed, not before 1970-01-01T00:00:06.000Z: Declined: no money'],
    [{ attempt: 4, crashes: 3, poisonedAt: 5, queue: 'cards' }, '#3 charge  attempt 4, 3 crashed, poisoned: for surgical workers alone, queue "cards"'],
    [{ role: 'undo', name: 'refund', acceptedUntil: 9, cancelRequested: true }, '#3 undo: refund  attempt 1, to be completed through the API, asked to stop'],
  ])('says how one fares: %j', (more, line) => {
    expect(openTasks([{ ...TASK, ...more }])).toBe(`\n\nopen activities\n  ${line}`);
  });
});
