import { isDeepStrictEqual } from 'node:util';
import { isClosed } from '@perdure/contract';
import { expectedOf, type Expected, type Observations } from '../model/model.js';
import { observe } from '../model/observed.js';
import { familyOf, type LogEntry } from '../program/program.js';
import type { Evidence, Finding, Run } from './evidence.js';

export const observationsOf = ({ runs }: Pick<Evidence, 'runs'>): Observations => new Map([...runs].map(([workflowId, chain]) => [workflowId, observe(chain)]));

/** Every run ends as the model says, and no query ever showed what was not so in the end. */
export const checkResults = (evidence: Evidence): Finding[] => {
  const observations = observationsOf(evidence);
  const found = evidence.programs.flatMap((program) => {
    const chain = evidence.runs.get(program.name) ?? [];
    const last = chain.at(-1);
    if (!last || !isClosed(last.view.status)) return [];
    const expected = expectedOf(program, observations);
    const children = familyOf(program).slice(1);
    return [
      ...expected.complaints,
      ...compare(last, expected.end),
      ...evidence.answered.filter((answer) => answer.program === program.name && !isDeepStrictEqual(answer.end, expected.end)).map(({ end }) => `${program.name}: its client was told ${JSON.stringify(end)}; the model says ${JSON.stringify(expected.end)}`),
      ...children.flatMap((child) => {
        const run = evidence.runs.get(child.name)?.at(-1);
        return run && isClosed(run.view.status) ? compare(run, expectedOf(child, observations).end) : [];
      }),
    ];
  });
  return [...found, ...checkShown(evidence)].map((what) => ({ oracle: 'results', what }));
};

function compare({ workflowId, events }: Run, end: Expected['end']): string[] {
  const last = events.findLast(({ kind }) => kind !== 'rolledBack')!;
  const shown = last.kind === 'completed' ? { status: 'completed', log: last.result } : last.kind === 'failed' ? { status: 'failed', message: last.error.message } : { status: last.kind };
  return isDeepStrictEqual(shown, end) ? [] : [`${workflowId}: ended as ${JSON.stringify(shown)}; the model says ${JSON.stringify(end)}`];
}

/** A query shows what is committed: a beginning of the final log, and never less than one before it showed. */
function checkShown({ shown, runs }: Evidence): string[] {
  return [...Map.groupBy(shown, ({ program }) => program)].flatMap(([program, answers]) => {
    const last = runs.get(program)?.at(-1)?.events.at(-1);
    const final = last?.kind === 'completed' ? (last.result as readonly LogEntry[]) : answers.at(-1)!.log;
    return answers.flatMap(({ log }, index) => {
      if (!isDeepStrictEqual(log, final.slice(0, log.length))) return [`${program}: a query showed ${JSON.stringify(log)}, in the end it was ${JSON.stringify(final)}`];
      return index > 0 && log.length < answers[index - 1]!.log.length ? [`${program}: a query went back from ${answers[index - 1]!.log.length} entries to ${log.length}`] : [];
    });
  });
}
