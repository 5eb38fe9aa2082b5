import { createServer, type IncomingMessage } from 'node:http';
import { AppendFile } from './append-file.js';
import { LedgerBook } from './ledger-book.js';
import type { LedgerLine, LedgerRecord } from './ledger-record.js';

/** The ledger's process: `main.js FILE PORT`. It takes one record a request, and answers when that is on disk. */
const [path = '', port = ''] = process.argv.slice(2);
const file = new AppendFile<LedgerLine>(path);
const book = new LedgerBook();
for (const line of file.lines) book.restore(line);

/** Until its line is on disk: a record that is told again meanwhile must wait for the same. */
const writing = new Map<string, Promise<void>>();

const take = async (record: LedgerRecord): Promise<string> => {
  const identity = `${record.kind} ${record.execution}`;
  const { line, answer } = book.take(record);
  if (line) writing.set(identity, file.append(line).finally(() => writing.delete(identity)));
  await writing.get(identity);
  return answer;
};

const bodyOf = async (request: IncomingMessage): Promise<LedgerRecord> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as LedgerRecord;
};

/** A ledger that cannot write must not answer, nor go on. */
const stop = (error: unknown): never => {
  console.error(error);
  process.exit(1);
};

const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end('ready');
  bodyOf(request).then(
    (record) => void take(record).then((answer) => response.end(answer), stop),
    // Whoever sent it died half way.
    () => response.destroy(),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1');
