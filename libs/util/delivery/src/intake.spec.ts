import { describe, expect, it } from '@jest/globals';
import { runKeyOf, type RunKey } from '@perdure/contract';
import fc from 'fast-check';
import { Intake, type Links } from './intake.js';
import type { MessageBody } from './message.js';

const run: RunKey = { tenant: 't', workflowId: 'w', runId: 'r' };
const source = 'history/0';
const arm: MessageBody = { to: 'scheduler', kind: 'armTimer', run, seq: 1, dueMs: 5 };
const disarm: MessageBody = { to: 'scheduler', kind: 'disarmTimer', run, seq: 1 };
const drop: MessageBody = { to: 'scheduler', kind: 'dropRun', run };
const linksOf = (body: MessageBody): Links => {
  if (body.to !== 'scheduler') return {};
  if (body.kind === 'armTimer') return { names: [`${body.seq}`, runKeyOf(run)] };
  return { undoes: body.kind === 'disarmTimer' ? `${body.seq}` : runKeyOf(run) };
};
const kinds = (bodies: readonly MessageBody[]): string[] => bodies.map((body) => ('kind' in body ? body.kind : ''));
const open = (): Intake => new Intake({ marks: [], tombstones: [] }, linksOf);

describe('An intake', () => {
  it('applies what undoes another after it, also when it came before', () => {
    const intake = open();
    expect(kinds(intake.take({ source, number: 2, mark: 1 }, disarm))).toEqual(['disarmTimer']);
    expect(intake.tombstones).toBe(1);
    expect(kinds(intake.take({ source, number: 1, mark: 1 }, arm))).toEqual(['armTimer', 'disarmTimer']);
  });

  it('leaves no tombstone when all that was numbered before is here', () => {
    const intake = open();
    intake.take({ source, number: 1, mark: 1 }, arm);
    intake.take({ source, number: 2, mark: 1 }, disarm);
    expect(intake.tombstones).toBe(0);
  });

  it('keeps a tombstone until the mark of its source passes it, whatever other sources say', () => {
    const intake = open();
    intake.take({ source, number: 2, mark: 1 }, disarm);
    intake.take({ source: 'history/1', number: 9, mark: 9 }, arm);
    expect(intake.tombstones).toBe(1);
    intake.take({ source, number: 3, mark: 2 }, arm);
    expect(intake.tombstones).toBe(1);
    intake.take({ source, number: 4, mark: 3 }, arm);
    expect(intake.tombstones).toBe(0);
  });

  it('does not let it undo what was sent after it', () => {
    const intake = open();
    intake.take({ source, number: 2, mark: 1 }, disarm);
    expect(kinds(intake.take({ source, number: 3, mark: 1 }, arm))).toEqual(['armTimer']);
  });

  it('goes on from its rows, and is as before after a batch that is taken back', () => {
    const first = open();
    first.take({ source, number: 2, mark: 1 }, disarm);
    const { marks, tombstones } = first.takeChanges();
    const next = new Intake({ marks, tombstones: tombstones.put }, linksOf);
    next.take({ source, number: 3, mark: 3 }, arm);
    expect(next.tombstones).toBe(0);
    next.takeBack();
    expect(kinds(next.take({ source, number: 1, mark: 1 }, arm))).toEqual(['armTimer', 'disarmTimer']);
  });

  it('leaves the same whatever the order, for a timer that is armed, disarmed, and dropped with its run', () => {
    const sent = [arm, disarm, { ...arm, seq: 2 }, drop] as const;
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 }), (order) => {
        const intake = open();
        const armed = new Set<number>();
        for (const number of order) {
          for (const body of intake.take({ source, number, mark: 1 }, sent[number - 1]!)) {
            if (body.to !== 'scheduler') continue;
            if (body.kind === 'armTimer') armed.add(body.seq);
            else if (body.kind === 'disarmTimer') armed.delete(body.seq);
            else armed.clear();
          }
        }
        expect([...armed]).toEqual([]);
      }),
    );
  });
});
