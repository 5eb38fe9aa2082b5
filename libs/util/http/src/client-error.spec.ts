import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { answerClientError } from './client-error.js';

const told = async (code: string): Promise<{ text: string; destroyed: boolean }> => {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => (text += String(chunk)));
  answerClientError(Object.assign(new Error('what the parser says'), { code }), stream as unknown as Socket);
  await new Promise((resolve) => setImmediate(resolve));
  return { text, destroyed: stream.destroyed };
};

describe('answerClientError', () => {
  it.each([
    ['HPE_HEADER_OVERFLOW', 431, 'header-too-large'],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408, 'request-timeout'],
    ['HPE_INVALID_METHOD', 400, 'invalid-request'],
  ])('answers %s with %i', async (code, status, problem) => {
    const [head = '', body = ''] = (await told(code)).text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toMatchObject({ status, code: problem });
  });

  it('says nothing to who has gone', async () => {
    expect(await told('ECONNRESET')).toEqual({ text: '', destroyed: true });
  });
});
