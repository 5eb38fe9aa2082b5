import { describe, expect, it } from '@jest/globals';
import { activities, condition, continueAsNew, nextSignal, onQuery, onSignal, onUpdate, query, receive, runChild, saga, signal, signalRun, sleep, startChild, update, type InputOf, type ResultOf, type Undo } from './index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only when the two types are the same: `tsc -b` is what checks this file. */
const same = <A, B>(_equal: Equal<A, B>): void => undefined;
/** Takes a value of that very type. */
const exactly = <A>() => <B>(_value: B & (Equal<A, B> extends true ? unknown : never)): void => undefined;
/** Compiled and not run. */
const compiled = (_code: () => unknown): void => undefined;

interface Order { readonly id: string }
interface Hold { readonly shelf: number }
interface Carrier {
  reserve(order: Order): Promise<Hold>;
  release(step: Undo<Order, Hold>): Promise<void>;
  ship(order: Order, hold: Hold): Promise<string>;
  ping(): Promise<void>;
  readonly version: string;
}

describe('types', () => {
  it('flow from the functions', () => {
    const { reserve, release, ship, ping } = activities<Carrier>();
    const approved = signal<{ by: string }>('approved');
    const stage = query<void, string>('stage');
    const add = update<Order, number>('add');
    const deliver = async (order: Order): Promise<Hold> => ({ shelf: order.id.length });
    const tick = async (): Promise<void> => undefined;

    same<Parameters<typeof reserve>, [order: Order]>(true);
    same<Awaited<ReturnType<typeof ship>>, string>(true);
    same<InputOf<typeof deliver>, Order>(true);
    same<InputOf<typeof tick>, undefined>(true);
    same<ResultOf<typeof deliver>, Hold>(true);
    compiled(async () => {
      same<string, Awaited<ReturnType<typeof ship>>>(true);
      exactly<Hold>()(await runChild(deliver, { input: { id: 'a' } }));
      await runChild(tick);
      const child = await startChild(deliver, { input: { id: 'a' } });
      same<Awaited<ReturnType<typeof child.result>>, Hold>(true);
      exactly<{ by: string }>()(await nextSignal(approved));
      exactly<Order>()((await receive.event<Order>('x')).data);
      onSignal(approved, ({ by }) => by.length);
      onQuery(stage, () => 'x');
      onUpdate(add, (order) => order.id.length, { validate: ({ id }) => void id });
      const hold = await saga().run(reserve, { id: 'a' }, release);
      same<typeof hold, Hold>(true);
      await ship.with({ queue: 'x' })({ id: 'a' }, hold);
      await ping();
      await sleep('7 days');
      await sleep({ days: 7 });
      await child.signal(approved, { by: 'x' });
      return continueAsNew<typeof deliver>({ id: 'b' });
    });
    compiled(async () => {
      const hurry = signal('hurry');
      const child = await startChild('named', { input: { any: 'thing' } });
      exactly<unknown>()(await child.result());
      await runChild('named');
      await child.signal(hurry);
      await signalRun('other', hurry);
      await signalRun('other', approved, { by: 'x' });
      return continueAsNew({ any: 'thing' });
    });
    compiled(async () => {
      // @ts-expect-error the wrong argument
      await reserve(5);
      // @ts-expect-error what is no function is no activity
      void activities<Carrier>().version;
      // @ts-expect-error the undo of another activity
      await saga().run(reserve, { id: 'a' }, activities<{ other(step: Undo<number, number>): Promise<void> }>().other);
      // @ts-expect-error a query answers with its type
      onQuery(stage, () => 5);
      // @ts-expect-error an update answers with its type
      onUpdate(add, () => 'x');
      // @ts-expect-error a child takes its input
      await runChild(deliver, { input: 5 });
      // @ts-expect-error a child's input is not left out
      await runChild(deliver, { workflowId: 'x' });
      // @ts-expect-error nor are the options that hold it
      await startChild(deliver);
      // @ts-expect-error nor is a signal's
      await signalRun('other', approved);
      // @ts-expect-error nor the next run's
      await continueAsNew<typeof deliver>();
      // @ts-expect-error the next run takes the workflow's input
      await continueAsNew<typeof deliver>({ id: 5 });
      // @ts-expect-error no such unit
      await sleep('7 fortnights');
      // @ts-expect-error a unit is needed
      await sleep('7');
      // @ts-expect-error a predicate is synchronous
      await condition(async () => true);
    });
    expect(reserve.name).toBe('reserve');
  });
});
