import { describe, expect, it } from '@jest/globals';
import type { EventBody, RunView, SuspendReason } from '@perdure/contract';
import { timeline } from './timeline.js';

const RUN: RunView = { tenant: 't', workflowId: 'w', runId: 'r', workflowType: 'order', status: 'running', bundle: 'b'.repeat(64), startedAt: 1_000, events: 1 };
const shown = (body: EventBody, run: Partial<RunView> = {}): string => timeline({ ...RUN, ...run }, [{ n: 1, at: 1_000, bundle: RUN.bundle, ...body }]);

describe('timeline', () => {
  it.each<[SuspendReason, string]>([
    [{ kind: 'operator' }, 'by an operator'],
    [{ kind: 'operator', message: 'a look' }, 'by an operator: a look'],
    [{ kind: 'poisoned', seq: 3, message: 'activity "ship" (#3) has crashed its worker 9 times' }, 'poisoned: activity "ship" (#3) has crashed its worker 9 times'],
    [{ kind: 'voided', n: 2, limit: 'time', message: 'over 1000 ms' }, 'voided: over 1000 ms'],
    [{ kind: 'refused', inputId: 'i', message: 'it cannot be read' }, 'refused: it cannot be read'],
  ])('says why a run is suspended: %j', (reason, text) => {
    const lines = shown({ kind: 'suspended', reason }, { status: 'suspended', suspended: reason }).split('\n');
    expect(lines).toContain(`suspended   ${text}`);
    expect(lines.at(-1)).toBe(`    1  +0ms        suspended  ${text}`);
  });

  it('shows the difference of a replay in lines of its own', () => {
    const text = shown({ kind: 'suspended', reason: { kind: 'nondeterminism', n: 2, diff: '- a\n+ b' } });
    expect(text).toMatch(/suspended {2}nondeterminism: \n +- a\n +\+ b$/);
  });

  it('shows where in the user’s code it failed, and nothing of the SDK’s', () => {
    const stack = '    at pay (order.workflow.ts:7:3)\n    at start (@perdure/sdk/src/workflow/runtime.ts:91:28)\n';
    expect(shown({ kind: 'failed', error: { type: 'TypeError', message: 'no', stack } })).toMatch(/failed {2}✗ TypeError: no\n +at pay \(order\.workflow\.ts:7:3\)$/);
  });

  it('cuts what is long', () => {
    expect(shown({ kind: 'completed', result: 'x'.repeat(300) })).toMatch(/→ "x{99}… \(302 characters\)$/);
  });
});
