// Restate's side of the workloads: the same steps, in a service process of its own. Run by Node as it stands, with the port as its argument.
import * as restate from '@restatedev/restate-sdk';
import { digestOf, stepResult, STEPS } from '../dist/expected.js';

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

const fiveStepService = restate.service({
  name: 'fiveStepService',
  handlers: {
    run: async (context: restate.Context, order: string): Promise<string> => {
      const results: string[] = [];
      for (let index = 0; index < STEPS; index++) results.push(await context.run(`step ${index}`, () => stepResult(order, index)));
      return digestOf(results);
    },
  },
});

await restate.serve({ services: [fiveStep, fiveStepService], port: Number(process.argv[2]) });
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
