import { describe, expect, it } from '@jest/globals';
import { LineProgress } from './progress.js';

describe('LineProgress', () => {
  const watched = (isTTY: boolean) => {
    let text = '';
    let now = 0;
    const progress = new LineProgress({ isTTY, write: (more) => (text += more) }, () => now);
    return { progress, text: () => text, pass: (ms: number) => (now += ms) };
  };

  it('writes a line at the start and one at the end, with the seconds, where nobody watches', async () => {
    const { progress, text, pass } = watched(false);
    const result = await progress.step('building etcd', async () => {
      expect(text()).toBe('perdure: building etcd …\n');
      pass(61_400);
      return 'built';
    });
    expect([result, text()]).toEqual(['built', 'perdure: building etcd …\nperdure: building etcd: done in 61 s\n']);
  });

  it('says so when a step fails', async () => {
    const { progress, text, pass } = watched(false);
    const failing = progress.step('building etcd', async () => {
      pass(2_000);
      throw new Error('no Go');
    });
    await expect(failing).rejects.toThrow('no Go');
    expect(text()).toMatch(/building etcd: failed after 2 s\n$/);
  });

  it('keeps to one line on a terminal', async () => {
    const { progress, text } = watched(true);
    await progress.step('building etcd', async () => undefined);
    expect(text()).toBe('perdure: building etcd …\r\x1b[Kperdure: building etcd: done in 0 s\n');
  });
});
