import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ServerProcess } from '../process/server-process.js';
import { startTogether } from './start-together.js';

describe('Servers that start together', () => {
  let up: Set<string>;
  let draws: number;
  beforeEach(() => {
    [up, draws] = [new Set(), 0];
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => void jest.restoreAllMocks());

  const start = (taken: readonly string[]): Promise<readonly ServerProcess[]> =>
    startTogether({
      members: async () => {
        draws += 1;
        return [`a${draws}`, `b${draws}`];
      },
      start: async (name, all) => {
        if (taken.includes(name)) throw new Error(`the port of ${name} is taken`);
        up.add(`${name} of ${all.join()}`);
        return { name, stop: async () => void up.delete(`${name} of ${all.join()}`) } as unknown as ServerProcess;
      },
    });

  it('know of each other', async () => {
    expect((await start([])).map(({ name }) => name)).toEqual(['a1', 'b1']);
    expect([...up]).toEqual(['a1 of a1,b1', 'b1 of a1,b1']);
  });

  it('start once more on other ports when one could not, and leave none of the first behind', async () => {
    await start(['b1']);
    expect([...up]).toEqual(['a2 of a2,b2', 'b2 of a2,b2']);
  });

  it('say why they do not, the second time', async () => {
    await expect(start(['b1', 'a2'])).rejects.toThrow('the port of a2 is taken');
    expect(up.size).toBe(0);
  });
});
