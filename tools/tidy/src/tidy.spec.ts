import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { readWorkspace } from './read-workspace.js';
import { RULES } from './rules.js';
import { showFinding } from './workspace.js';

const root = execFileSync('git', ['rev-parse', '--show-toplevel'], { encoding: 'utf8' }).trim();

describe('the workspace is tidy', () => {
  const workspace = readWorkspace(root);

  it('has packages', () => expect(workspace.packages.length).toBeGreaterThan(10));

  it.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
    expect(rule.check(workspace).map(showFinding)).toEqual([]);
  });
});
