import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { Remembered } from './remembered.js';

const FOR_MS = 1_000;

describe('Remembered', () => {
  const make = (countMax = 10) => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const remembered = new Remembered<string>({ clock, forMs: FOR_MS, countMax });
    const get = (key: string, answer: Promise<string | undefined> = Promise.resolve(`${key}!`)): Promise<string | undefined> =>
      remembered.get(key, () => {
        asked.push(key);
        return answer;
      });
    return { clock, asked, remembered, get };
  };

  it('asks once, however many want it, until its time is over', async () => {
    const { clock, asked, get } = make();
    expect(await Promise.all([get('a'), get('a')])).toEqual(['a!', 'a!']);
    clock.advanceTo(clock.now() + FOR_MS - 1);
    await get('a');
    expect(asked).toEqual(['a']);
    clock.advanceTo(clock.now() + 1);
    await get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('counts from when it was asked for, not from when the answer came', async () => {
    const { clock, asked, get } = make();
    let answer: (value: string) => void = () => undefined;
    const slow = get('a', new Promise<string>((resolve) => (answer = resolve)));
    clock.advanceTo(clock.now() + FOR_MS);
    answer('old');
    expect(await slow).toBe('old');
    expect(await get('a')).toBe('a!');
    expect(asked).toHaveLength(2);
  });

  it('remembers neither what is not there nor what failed', async () => {
    const { asked, get } = make();
    expect(await get('a', Promise.resolve(undefined))).toBeUndefined();
    await expect(get('a', Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await get('a')).toBe('a!');
    expect(asked).toHaveLength(3);
  });

  it('knows so many at most, and nothing once it is cleared', async () => {
    const { asked, remembered, get } = make(2);
    for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await get(key);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
    remembered.clear();
    await get('a');
    expect(asked).toHaveLength(5);
  });
});
