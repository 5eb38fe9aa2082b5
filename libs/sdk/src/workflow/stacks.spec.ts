import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle, mapStack } from '@perdure/bundler';
import type { Command } from '@perdure/contract';
import { ENGINES, type Engine } from './testing/driven-run.js';

const SOURCE = `interface Order {
  readonly total: number;
}

class Checkout {
  price(order: Order): number {
    if (order.total < 0) throw new RangeError('negative');
    return order.total;
  }
}

export async function main(order: Order): Promise<number> {
  return new Checkout().price(order);
}
`;

describe.each(ENGINES)('stacks of %s', (_name, create) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.dispose());

  it('point at the file, line and column of the source', async () => {
    const { code, hash, sourceMap } = await bundle({ source: SOURCE, resolveDir: import.meta.dirname, name: 'checkout.workflow.ts' });
    const send = engine.open(code, hash);
    const started = { kind: 'started', at: 1, run: { tenant: 'demo', workflowId: 'w', runId: 'r' }, workflowType: 'main', pin: {}, chain: 'r', input: { total: -1 } };
    const [command] = (JSON.parse(send(JSON.stringify(started), 'started')) as { commands: Command[] }).commands;
    const stack = command?.kind === 'fail' ? (command.error.stack ?? '') : '';
    const frames = mapStack(stack, sourceMap).split('\n').filter((line) => line.includes('checkout.workflow.ts')).map((line) => line.trim());
    expect(frames[0]).toMatch(/^at .*price \(checkout\.workflow\.ts:7:\d+\)$/);
    expect(frames[1]).toMatch(/^at .*main \(checkout\.workflow\.ts:13:\d+\)$/);
  });
});
