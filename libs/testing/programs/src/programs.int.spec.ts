import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle } from '@perdure/bundler';
import { checkProgram, newBundle, type ProgramCounts } from './check-program.js';
import { Restorer } from './restorer.js';

/** `npm run test:programs` does a thousand. */
const PROGRAMS = 20;

describe('The same history, the same state', () => {
  const snapshotKey = new Uint8Array(32).fill(3);
  let made: Bundle;
  let folder: string;
  let restorer: Restorer;

  beforeAll(async () => {
    made = await newBundle();
    folder = mkdtempSync(join(tmpdir(), 'perdure-programs-'));
    restorer = await Restorer.start(made, snapshotKey);
  });
  afterAll(async () => {
    await restorer.stop();
    rmSync(folder, { recursive: true });
  });

  it(
    `holds however a run got there, in ${PROGRAMS} random programs (I5, I6, I7)`,
    async () => {
      const all: ProgramCounts[] = [];
      for (let number = 1; number <= PROGRAMS; number++) all.push(await checkProgram(number, { made, restorer, snapshotKey, folder }));
      const seen = new Set(all.flatMap(({ events }) => [...events.keys()]));
      expect([...seen]).toEqual(expect.arrayContaining(['activityClosed', 'timerFired', 'continuedAsNew', 'completed', 'updateCompleted', 'eventReceived', 'compensated', 'childClosed', 'signalSettled', 'cancelRequested', 'resumed', 'terminated']));
      const sum = (pick: (counts: ProgramCounts) => number): number => all.reduce((total, counts) => total + pick(counts), 0);
      expect(sum(({ stepsRestored }) => stepsRestored)).toBeGreaterThan(PROGRAMS * 8);
      expect(sum(({ snapshots }) => snapshots)).toBeGreaterThan(PROGRAMS);
      expect(sum(({ queries }) => queries)).toBeGreaterThan(PROGRAMS * 10);
    },
    PROGRAMS * 15_000,
  );

  it('names the number and the smallest program when it does not hold', async () => {
    const stranger = await Restorer.start(made, new Uint8Array(32).fill(4));
    await expect(checkProgram(1, { made, restorer: stranger, snapshotKey, folder, shrink: false })).rejects.toThrow(/program 1 does not hold; the smallest found:\n\{"steps":[^]*the image was not taken: corrupt/);
    await stranger.stop();
  });
});
