// The least that a node:http server can do with a request of this size: read its body as JSON and answer with as many bytes as a result takes.
import { createServer } from 'node:http';

const ANSWER = JSON.stringify({ workflowId: 'w'.repeat(12), runId: 'r'.repeat(36), created: true, status: 'completed', result: 'x'.repeat(60) });

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    JSON.parse(body);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) }).end(ANSWER);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit(0));
