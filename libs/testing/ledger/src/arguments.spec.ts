import { describe, expect, it } from '@jest/globals';
import { readArguments } from './arguments.js';

const server = ['--server', 'main.js'];

describe('The arguments of test:crash', () => {
  it('say what is attacked, and how', () => {
    expect(readArguments(server)).toMatchObject({ seed: 1, minutes: 10, programs: 500, atOnce: 64, size: 3, shards: 1, gapMs: 2_500, settleMs: 150_000, mesh: false, busEnv: {}, calm: false });
    expect(readArguments([...server, '--seed', '7', '--minutes', '0.5', '--shards', '3', '--mesh', '--bus', 'direct'])).toMatchObject({ seed: 7, minutes: 0.5, shards: 3, mesh: true, busEnv: { PERDURE_BUS_PUBSUB: 'off' } });
    expect(readArguments(['--help'])).toBeUndefined();
  });

  it.each([['--seed', '1.5'], ['--seed=-1'], ['--seed', ''], ['--programs', '0'], ['--programs', '1.5'], ['--at-once', '0'], ['--size', '0'], ['--size', '9'], ['--shards', '0'], ['--shards', '65'], ['--minutes', 'x'], ['--gap=-1'], ['--replicas', '0'], ['--bus', 'foo'], ['--sed', '1'], ['7']])(
    'are refused when nothing would come of them: %s %s',
    (...args) => expect(() => readArguments([...server, ...args])).toThrow(),
  );
});
