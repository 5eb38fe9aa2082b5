import { parseArgs } from 'node:util';
import { attackWithFuzz } from './fuzz.js';
import { attackWithHogs } from './hogs.js';

// npm run test:hogs -- --runs N, npm run test:fuzz -- --seed N --cases K: the last line adds up.

const { values, positionals } = parseArgs({ allowPositionals: true, options: { server: { type: 'string' }, runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, cases: { type: 'string', default: '5000' } } });
const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} is a whole number, not "${text}"`);
  return process.exit(2);
};

const finish = ({ checked, complaints, what }: { readonly checked: number; readonly complaints: readonly string[]; readonly what: string }): void => {
  for (const complaint of complaints.slice(0, 50)) console.error(complaint);
  console.log(what);
  console.log(`${Math.max(0, checked - complaints.length)} passed, ${complaints.length} failed`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
};

const started = performance.now();
const seconds = (): number => Math.round((performance.now() - started) / 1000);
const main = values.server ?? '';

if (positionals[0] === 'hogs') {
  const { runs, complaints, grownMib, byLimit } = await attackWithHogs({ main, runs: whole('runs', values.runs) });
  finish({ checked: runs, complaints, what: `${runs} hogs in ${seconds()} s, stopped by ${JSON.stringify(byLimit)}; the server has ${Math.round(grownMib)} MiB more than before` });
} else if (positionals[0] === 'fuzz') {
  const seed = whole('seed', values.seed);
  const { requests, bundles, complaints, byStatus } = await attackWithFuzz({ main, seed, cases: whole('cases', values.cases) });
  finish({ checked: requests + bundles, complaints, what: `seed ${seed}: ${requests} requests and ${bundles} bundles in ${seconds()} s, answered ${JSON.stringify(byStatus)}` });
} else {
  console.error(`there is no attack "${positionals[0] ?? ''}"`);
  process.exitCode = 2;
}
