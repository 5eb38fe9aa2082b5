import { describe, expect, it } from '@jest/globals';
import { parseOptions } from './options.js';

describe('options', () => {
  it('measures all of it by default', () => {
    expect(parseOptions([])).toMatchObject({ concurrency: [1, 16, 64, 256], seconds: 20, systems: ['perdure', 'restate'], quick: false, mesh: false });
  });

  it('measures the mesh beside its own peers', () => {
    expect(parseOptions(['--mesh'])).toMatchObject({ mesh: true, concurrency: [1, 16, 64], systems: ['mesh', 'temporal', 'dbos'] });
    expect(parseOptions(['--mesh', '--only', 'dbos'])).toMatchObject({ systems: ['dbos'] });
  });

  it('selects', () => {
    expect(parseOptions(['--workload', 'five-step', '--concurrency', '16,64', '--seconds', '5', '--only=perdure', '--json', 'out.json'])).toEqual({
      workloads: ['five-step'], concurrency: [16, 64], seconds: 5, systems: ['perdure'], json: 'out.json', data: undefined, mesh: false, quick: false, help: false,
    });
  });

  it.each([[['--workload', 'six-step'], 'five-step'], [['--concurrency', '0'], 'above 0'], [['--concurrency', '1.5'], 'whole'], [['--json', 'not/there/out.json'], 'not/there'], [['--seconds', 'x'], 'above 0'], [['--only', 'temporal'], 'restate'], [['--mesh', '--only', 'restate'], 'temporal'], [['--mesh', '--workload', 'signal'], 'one workload'], [['--fast'], '--fast']] as const)('refuses %j', (args, why) => {
    expect(() => parseOptions(args)).toThrow(why);
  });
});
