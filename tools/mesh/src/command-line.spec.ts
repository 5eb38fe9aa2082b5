import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './command-line.js';

const parse = (...args: string[]) => parseCommandLine(args, process.cwd());

describe('The command line of the mesh', () => {
  it('takes numbers of nodes, slices and a port', () => {
    expect(parse('--replicas', 'history=2,scheduler=16', '--slices-per-node', '64', '--port', '65535')).toMatchObject({ replicas: { history: 2, scheduler: 16, ingestion: 1 }, slicesPerNode: 64, port: 65_535 });
  });

  it.each([
    [['--port', '0'], 'A port is a number from 1 to 65535.'],
    [['--port', '65536'], 'A port is a number from 1 to 65535.'],
    [['--port', '1e3'], 'A port is a number from 1 to 65535.'],
    [['--slices-per-node', '2.5'], 'A number from 1 to 64.'],
    [['--replicas', 'history='], 'history=N, N from 1 to 16.'],
    [['--replicas', 'history=17'], 'history=N, N from 1 to 16.'],
    [['--replicas', 'history=two'], 'history=N, N from 1 to 16.'],
    [['--replicas', 'mail=1'], 'There is no service "mail"'],
  ])('refuses %j', (args, why) => {
    expect(() => parse(...args)).toThrow(why);
  });
});
