import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PerdureError } from '@perdure/contract';
import { PROBLEM_JSON, toProblem } from './problem.js';

/** For what Node's parser gives up on there is no request and no reply: the answer goes to the socket itself, which is then closed. */
export const answerClientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  // Its other end has gone.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = toProblem(fromParser(error));
  const body = JSON.stringify(problem);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nconnection: close\r\ncontent-type: ${PROBLEM_JSON}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};

const fromParser = ({ code, message }: NodeJS.ErrnoException): PerdureError => {
  if (code === 'HPE_HEADER_OVERFLOW') return new PerdureError('header-too-large', 'The URL and the headers together are longer than 16 KiB.');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new PerdureError('request-timeout', 'The request did not arrive whole in time.');
  return new PerdureError('invalid-request', `This is no HTTP request: ${message}`);
};
