import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatTrace, parseTrace } from './trace/trace-file.js';
import { TraceRunner } from './trace/trace-runner.js';

// UPDATE_TRACES=1 writes the results that the engine gives now; read the difference before you keep it.
const isUpdate = process.env['UPDATE_TRACES'] === '1';
const folder = new URL('../testdata/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('traces', () => {
  it('are there', () => expect(files.length).toBeGreaterThan(10));

  it.each(files)('%s', (name) => {
    const file = new URL(name, folder);
    const blocks = parseTrace(readFileSync(file, 'utf8'));
    const runner = new TraceRunner();
    const results = blocks.map((block) => runner.run(block));
    if (isUpdate) writeFileSync(file, formatTrace(blocks, results));
    else expect(formatTrace(blocks, results)).toBe(formatTrace(blocks, blocks.map(({ expected }) => expected)));
  });
});
