import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { checkProgram, newBundle, ProgramFailure } from './check-program.js';
import { Restorer } from './restorer.js';

// npm run test:programs -- --from N --programs K [--jobs J]: programs N, N+1, … by J processes side by side. Prints what failed; the last line adds up.

const { values } = parseArgs({ options: { from: { type: 'string', default: '1' }, programs: { type: 'string', default: '1000' }, jobs: { type: 'string' }, part: { type: 'string' } } });
const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`test:programs: --${name} is a whole number, not "${text}"`);
  return process.exit(2);
};
const from = whole('from', values.from);
const programs = whole('programs', values.programs);
const jobs = Math.max(1, whole('jobs', values.jobs ?? String(Math.min(availableParallelism(), 8))));

interface Counted {
  passed: number;
  failed: number;
  readonly sums: Record<string, number>;
}

const MEMORY = '/dev/shm';
/** Each failure is shrunk, which takes its time: so many tell enough. */
const FAILURES_MAX = 3;

/** Every `jobs`-th program from `first` on. */
const runPart = async (first: number): Promise<Counted> => {
  const counted: Counted = { passed: 0, failed: 0, sums: {} };
  const made = await newBundle();
  const snapshotKey = new Uint8Array(32).fill(7);
  const restorer = await Restorer.start(made, snapshotKey);
  const folder = existsSync(MEMORY) ? MEMORY : tmpdir();
  for (let number = first; number < from + programs && counted.failed < FAILURES_MAX; number += jobs) {
    try {
      const { events, ...counts } = await checkProgram(number, { made, restorer, snapshotKey, folder });
      for (const [name, count] of [...Object.entries(counts), ...events]) counted.sums[name] = (counted.sums[name] ?? 0) + count;
      counted.passed += 1;
    } catch (error) {
      counted.failed += 1;
      console.error(error instanceof ProgramFailure ? error.message : error);
    }
  }
  await restorer.stop();
  return counted;
};

if (values.part !== undefined) {
  // Who asked is gone, or has its answer.
  process.once('disconnect', () => process.exit());
  const counted = await runPart(from + whole('part', values.part));
  process.send?.(counted);
  process.disconnect?.();
} else {
  const started = performance.now();
  const parts = await Promise.all(
    Array.from({ length: jobs }, async (_, part) => {
      const child = fork(import.meta.filename, [...process.argv.slice(2), '--jobs', String(jobs), '--part', String(part)]);
      const counted = new Promise<Counted | undefined>((resolve) => {
        child.once('message', (message) => resolve(message as Counted));
        child.once('exit', () => resolve(undefined));
      });
      await once(child, 'exit');
      return counted;
    }),
  );
  const sum = (pick: (counted: Counted) => number): number => parts.reduce((total, part) => total + (part ? pick(part) : 0), 0);
  const names = [...new Set(parts.flatMap((part) => Object.keys(part?.sums ?? {})))].sort();
  for (const name of names) console.log(`${String(sum(({ sums }) => sums[name] ?? 0)).padStart(9)}  ${name}`);
  const passed = sum((part) => part.passed);
  const failed = sum((part) => part.failed) + parts.filter((part) => !part).length;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`programs ${from} to ${from + programs - 1} in ${seconds} s by ${jobs} processes`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed === programs ? 0 : 1;
}
