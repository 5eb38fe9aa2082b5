import { describe, expect, it } from '@jest/globals';
import { logLine } from './log-line.js';

const line = (fields: object): string => JSON.stringify({ level: 30, time: '2026-11-27T12:34:56.789Z', ...fields });

describe('logLine', () => {
  it.each([
    [line({ msg: 'perdure is listening', url: 'http://x', data: 'd' }), '12:34:56 server: perdure is listening url=http://x data=d'],
    [line({ msg: 'hello', tenant: 't', workflowId: 'o1', runId: 'r', source: 'workflow' }), '12:34:56 "o1": hello'],
    [line({ level: 50, msg: 'set aside', workflowId: 'o1', inputId: 'i' }), '12:34:56 server, "o1": error: set aside inputId=i'],
    ['no JSON', 'no JSON'],
    ['{"level":30}', '{"level":30}'],
    ['null', 'null'],
  ])('shows %s', (text, expected) => {
    expect(logLine(text)).toBe(expected);
  });
});
