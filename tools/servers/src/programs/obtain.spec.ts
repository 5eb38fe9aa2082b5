import { describe, expect, it } from '@jest/globals';
import { serversConfig } from '../config.js';
import { Progress } from '../progress.js';
import { ServerError } from '../server-error.js';
import { obtain } from './obtain.js';
import type { Candidate, ProgramRecipe } from './program.js';

class Notes extends Progress {
  readonly lines: string[] = [];

  override note(line: string): void {
    this.lines.push(line);
  }

  override step<T>(_what: string, work: () => Promise<T>): Promise<T> {
    return work();
  }
}

const config = serversConfig({});
const says = (path: string, text: string): Candidate => ({ path, version: async () => text });
const recipe = (...candidates: Candidate[]): ProgramRecipe => ({ name: 'etcd', versionMin: [3, 4], candidates: () => candidates, fetched: { version: '3.6.6', fetch: async () => 'cache/etcd' } });

describe('obtain', () => {
  it("takes the machine's first program that is not too old, and says which was", async () => {
    const progress = new Notes();
    const program = await obtain(recipe(says('a/etcd', 'etcd 3.3.25'), says('b/etcd', 'etcd 3.5.1'), says('c/etcd', 'etcd 3.6.0')), { config, progress });
    expect(program).toEqual({ name: 'etcd', version: '3.5.1', path: 'b/etcd', from: 'machine' });
    expect(progress.lines).toEqual(['a/etcd is etcd 3.3.25, which is too old: 3.4 or later is needed']);
  });

  it('fetches one where the machine has none that runs', async () => {
    const broken: Candidate = { path: 'a/etcd', version: () => Promise.reject(new ServerError('a/etcd could not run')) };
    expect(await obtain(recipe(broken, says('b/etcd', 'edge')), { config, progress: new Notes() })).toEqual({ name: 'etcd', version: '3.6.6', path: 'cache/etcd', from: 'cache' });
  });
});
