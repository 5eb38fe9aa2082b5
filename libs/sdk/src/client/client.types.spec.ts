import { describe, expect, it } from '@jest/globals';
import type { Client } from './client.js';

interface Order { readonly id: string }
declare const deliver: (order: Order) => Promise<number>;
declare const tick: () => Promise<void>;

/** Compiled and not run: `tsc -b` is what checks it. */
const compiled = async (client: Client): Promise<void> => {
  const result: number = await client.execute(deliver, { input: { id: 'a' } });
  await client.start(tick);
  await client.start('named');
  await client.start('named', { input: { any: result } });
  await client.execute('named', { input: 1 });
  await client.start<typeof deliver>('deliver', { input: { id: 'a' } });
  // @ts-expect-error its input is not left out
  await client.start(deliver, { workflowId: 'x' });
  // @ts-expect-error nor are the options that hold it
  await client.start(deliver);
  // @ts-expect-error the wrong input
  await client.start<typeof deliver>('deliver', { input: 5 });
  // @ts-expect-error what is known by name alone answers with anything
  const text: string = await client.execute('named');
  void text;
};

describe('types of the client', () => {
  it('flow from a function, and take a name as well', () => {
    expect(compiled).toBeInstanceOf(Function);
  });
});
