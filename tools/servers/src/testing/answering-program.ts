import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../process/ports.js';
import { askHttp } from '../process/probes.js';
import type { ServerSpec } from '../process/server-process.js';

/** A server of a few lines of Node that answers its own process id and its child's, and remembers in its folder how often it began. */
const PROGRAM = `
const { appendFileSync } = require('node:fs');
appendFileSync('starts', 'x');
const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
require('node:http').createServer((_, response) => response.end(process.pid + ' ' + child.pid)).listen(Number(process.argv[1]), '127.0.0.1');
`;

/** What to start it with; `program` may be another one. */
export async function answeringProgram({ program = PROGRAM, temporary = true }: { readonly program?: string; readonly temporary?: boolean } = {}): Promise<ServerSpec> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'perdure-answering-'));
  const address = `http://127.0.0.1:${port}`;
  return { name: 'answering', command: process.execPath, args: ['-e', program, String(port)], folder, temporary, logFile: join(folder, 'log'), address, port, ports: [port], answers: () => askHttp(address) };
}
