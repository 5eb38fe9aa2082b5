import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStatements, type SentText } from './check-statements.js';

describe('the check of the statements', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perdure-statements-'));
    file = join(folder, 'statements');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const parser = (): string => {
    const path = process.env['PERDURE_TEST_COCKROACH_PARSER'];
    if (!path) throw new Error('PERDURE_TEST_COCKROACH_PARSER names no program; `npm run test:mesh` builds one.');
    return path;
  };
  const check = async (sent: readonly SentText[], program = parser()): ReturnType<typeof checkStatements> => {
    await writeFile(file, sent.map((each) => `${JSON.stringify(each)}\n`).join(''));
    return checkStatements({ file, parser: program });
  };

  it('takes what CockroachDB takes, each once, also what PostgreSQL would not', async () => {
    const sent = [{ text: 'begin' }, { name: 'a', text: 'select $1::text[]' }, { name: 'a', text: 'select $1::text[]' }, { text: 'alter table runs set locality regional by row as region' }];
    expect(await check(sent)).toEqual({ count: 3, problems: [] });
  });

  it('names what CockroachDB refuses, though PostgreSQL takes it', async () => {
    const { problems } = await check([{ name: 'good', text: 'select 1' }, { name: 'mine', text: 'merge into a using b on true when matched then\n  delete' }, { text: 'vacuum full runs' }]);
    expect(problems).toEqual([expect.stringMatching(/refuses mine: .*: merge into a using b on true when matched then delete$/), expect.stringContaining('vacuum full runs')]);
  });

  it('names what is no statement at all', async () => {
    expect((await check([{ text: 'select 1' }, { text: '-- nothing' }])).problems).toEqual([expect.stringContaining('-- nothing')]);
  });

  it('leaves out what a spec asks PostgreSQL about itself, unless it has a name', async () => {
    const text = '/* PostgreSQL alone */ vacuum analyze runs';
    expect(await check([{ text }, { text: 'select 1' }])).toEqual({ count: 1, problems: [] });
    expect((await check([{ text, name: 'mine' }])).problems).toEqual([expect.stringContaining('refuses mine')]);
  });

  it('says so when two statements have one name', async () => {
    expect((await check([{ name: 'x', text: 'select 1' }, { name: 'x', text: 'select 2' }])).problems).toEqual(['x is the name of 2 statements']);
  });

  it('is a failure when nothing was sent', async () => {
    for (const problems of [(await check([])).problems, (await checkStatements({ file: join(folder, 'none'), parser: parser() })).problems]) expect(problems).toEqual([expect.stringContaining('no statement was recorded')]);
  });

  it('is a failure when the parser takes anything', async () => {
    const anything = join(folder, 'anything');
    await writeFile(anything, `#!/bin/sh\nsed 's/.*/{"ok":true}/'\n`);
    await chmod(anything, 0o755);
    expect((await check([{ text: 'select 1' }], anything)).problems).toContainEqual(expect.stringContaining('the parser takes nonsense'));
  });

  it('throws when the parser dies', async () => {
    await expect(check([{ text: 'select 1' }], '/bin/false')).rejects.toThrow('ended with 1');
  });
});
