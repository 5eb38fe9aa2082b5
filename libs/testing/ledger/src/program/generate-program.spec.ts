import { describe, expect, it } from '@jest/globals';
import { generateProgram } from './generate-program.js';
import { familyOf, type ActivityStep, type Program, type Step } from './program.js';

const programs = (size: number, count = 400): readonly Program[] => Array.from({ length: count }, (_, index) => generateProgram({ seed: 7, index, size, crashPercent: 2 }));
const inner = (steps: readonly Step[]): readonly Step[] => steps.flatMap((step) => [step, ...(step.do === 'together' ? inner(step.branches) : step.do === 'child' ? inner(step.steps) : step.do === 'saga' ? step.parts : [])]);
const activitiesOf = (steps: readonly Step[]): readonly ActivityStep[] => inner(steps).filter((step): step is ActivityStep => step.do === 'activity');
/** What tells one timer or wait of a run from another. */
const durationsOf = (steps: readonly Step[]): readonly number[] => steps.flatMap((step) => ('ms' in step ? [step.ms] : 'timeoutMs' in step && step.timeoutMs !== undefined ? [step.timeoutMs] : step.do === 'together' ? durationsOf(step.branches) : []));

describe('generateProgram', () => {
  it('gives the same program for the same seed and index', () => {
    expect(generateProgram({ seed: 3, index: 12, size: 3, crashPercent: 2 })).toEqual(generateProgram({ seed: 3, index: 12, size: 3, crashPercent: 2 }));
    expect(generateProgram({ seed: 3, index: 12, size: 3, crashPercent: 2 })).not.toEqual({ ...generateProgram({ seed: 4, index: 12, size: 3, crashPercent: 2 }), name: 'p3-12' });
  });

  it('makes every sort of step, behaviour and sending', () => {
    const all = programs(3);
    expect([...new Set(all.flatMap(({ steps }) => inner(steps).map((step) => (step.do === 'together' ? `${step.mode} ${step.losers}` : step.do))))].sort()).toEqual(['activity', 'all awaited', 'child', 'continue', 'event', 'fail', 'forever', 'race awaited', 'race left', 'saga', 'signal', 'sleep', 'updates']);
    expect([...new Set(all.flatMap(({ steps }) => activitiesOf(steps).map(({ behaviour }) => behaviour.kind)))].sort()).toEqual(['crash', 'exhausted', 'flaky', 'later', 'ok', 'overdue', 'silent', 'slow', 'terminal']);
    expect([...new Set(all.flatMap(({ lanes }) => lanes.flat().map(({ send }) => send)))].sort()).toEqual(['cancel', 'event', 'query', 'resume', 'signal', 'suspend', 'terminate', 'update']);
  });

  it('gives each run durations, numbers and signals of its own', () => {
    for (const program of programs(4)) {
      for (const { steps } of familyOf(program)) {
        expect(new Set(durationsOf(steps)).size).toBe(durationsOf(steps).length);
        const own = steps.flatMap((step) => (step.do === 'together' ? step.branches : [step]));
        const numbers = own.flatMap((step) => (step.do === 'saga' ? step.parts.map(({ n }) => n) : 'n' in step ? [step.n] : []));
        expect(new Set(numbers).size).toBe(numbers.length);
        const signals = own.flatMap((step) => (step.do === 'signal' ? [step.signal] : []));
        expect(new Set(signals).size).toBe(signals.length);
      }
      const ids = program.lanes.flat().flatMap((sending) => ('id' in sending ? [sending.id] : []));
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('sends whatever a step without a timeout waits for', () => {
    for (const program of programs(4)) {
      const sent = new Set(program.lanes.flat().flatMap((sending) => (sending.send === 'event' ? [sending.key] : sending.send === 'signal' ? [`${program.name} ${sending.signal}`] : [])));
      for (const { name, steps } of familyOf(program)) {
        const poked = name !== program.name;
        for (const step of steps.flatMap((each) => (each.do === 'together' ? each.branches : [each]))) {
          if (step.do === 'event' && step.timeoutMs === undefined) expect(sent).toContain(`${name}#${step.n}`);
          if (step.do === 'signal' && step.timeoutMs === undefined && !poked) expect(sent).toContain(`${name} ${step.signal}`);
        }
      }
    }
  });

  it('grows with its size', () => {
    const stepsOf = (size: number): number => programs(size).reduce((sum, { steps }) => sum + inner(steps).length, 0);
    expect(stepsOf(4)).toBeGreaterThan(stepsOf(2) * 1.5);
    expect(programs(1).every(({ steps }) => inner(steps).every((step) => step.do !== 'child' && step.do !== 'together'))).toBe(true);
  });
});
