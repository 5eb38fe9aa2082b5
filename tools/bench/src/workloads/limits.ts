import type { Lab } from '../lab.js';
import { measureSyncs } from '../sync-rate.js';
import type { Row } from '../report.js';
import { measureWindow, summarise } from '../window.js';
import type { Outcome } from './outcome.js';

const SECONDS_MAX = 5;

/** What this machine allows at most: syncs one after another, and requests to a server that does nothing. */
export const limits = async (lab: Lab): Promise<Outcome> => {
  const seconds = Math.min(lab.options.seconds, SECONDS_MAX);
  lab.say('the limits of this machine …');
  const syncs = measureSyncs(lab.folder, seconds);
  const bare = await lab.bare();
  const rows: Row[] = [];
  for (const concurrency of lab.options.concurrency) {
    const window = await measureWindow(lab.generator, bare, { kind: 'run', system: 'bare', url: bare.url, workflow: 'fiveStep', concurrency, prefix: 'bare', warmupMs: 500, measureMs: seconds * 1000 });
    rows.push({ workload: 'bare HTTP', concurrency, system: bare.title, measured: summarise([window]) });
  }
  await lab.stop([bare]);
  return { rows, remarks: [`this disk: ${Math.round(syncs)} appends of 4 KB a second, each synced before the next (${(1000 / syncs).toFixed(2)} ms)`] };
};
