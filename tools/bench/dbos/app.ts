// DBOS's side of the five-step workload: one program with its workflow, its steps and its HTTP front, every setting as it comes. Run by Node as it stands.
import { createServer } from 'node:http';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { digestOf, stepResult, STEPS } from '../dist/expected.js';

const [systemDatabaseUrl = '', port = ''] = process.argv.slice(2);

const step = DBOS.registerStep(async (order: string, index: number): Promise<string> => stepResult(order, index), { name: 'step' });

const fiveStep = DBOS.registerWorkflow(
  async (order: string): Promise<string> => {
    const results: string[] = [];
    for (let index = 0; index < STEPS; index++) results.push(await step(order, index));
    return digestOf(results);
  },
  { name: 'fiveStep' },
);

DBOS.setConfig({ name: 'bench', systemDatabaseUrl, logLevel: 'error' });
await DBOS.launch();

/** The same id is the same workflow: asked again, it is not run again. */
const run = async (workflowID: string, order: string): Promise<string> => {
  const handle = await DBOS.startWorkflow(fiveStep, { workflowID })(order);
  return handle.getResult();
};

createServer((request, response) => {
  const [, , workflowID = ''] = request.url!.split('/');
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const asked = request.method === 'POST' ? run(workflowID, JSON.parse(body) as string) : DBOS.retrieveWorkflow<string>(workflowID).getResult();
    asked.then(
      (result) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
}).listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit(0));
