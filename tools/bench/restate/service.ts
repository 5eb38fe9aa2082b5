// Restate's side of the workloads: the same steps, in a service process of its own. Run by Node as it stands, with the port as its argument.
import { createServer } from 'node:http2';
import * as restate from '@restatedev/restate-sdk';
import { checksumOf, digestOf, stepResult, STEPS } from '../dist/expected.js';

const fiveStep = restate.workflow({
  name: 'fiveStep',
  handlers: {
    run: async (context: restate.WorkflowContext, order: string): Promise<string> => {
      const results: string[] = [];
      for (let index = 0; index < STEPS; index++) results.push(await context.run(`step ${index}`, () => stepResult(order, index)));
      return digestOf(results);
    },
  },
});

// Parks as soon as it waits: with the default, a minute of waiting with its request open, the server takes on only 1,000 runs at a time.
const signalled = restate.workflow({
  name: 'signalled',
  handlers: {
    run: restate.handlers.workflow.workflow({ inactivityTimeout: 0 }, async (context: restate.WorkflowContext, id: string): Promise<string> => `${id}: ${await context.promise<string>('woken')}`),
    woken: async (context: restate.WorkflowSharedContext, word: string): Promise<void> => context.promise<string>('woken').resolve(word),
  },
});

const fanOut = restate.workflow({
  name: 'fanOut',
  handlers: {
    run: async (context: restate.WorkflowContext, { id, count }: { id: string; count: number }): Promise<number> => {
      const steps = Array.from({ length: count }, (_, index) => context.run(`step ${index}`, () => stepResult(id, index)));
      return checksumOf(await restate.RestatePromise.all(steps));
    },
  },
});

// The server is killed on purpose: that it goes away is no news. On loopback, where `serve` would take every address.
const endpoint = restate.createEndpointHandler({ services: [fiveStep, signalled, fanOut], logger: () => undefined });
createServer(endpoint).listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit(0));
