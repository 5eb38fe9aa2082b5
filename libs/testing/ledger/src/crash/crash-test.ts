import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundle } from '@perdure/bundler';
import { Client } from '@perdure/sdk/client';
import { AppendFile, readLines } from '../book/append-file.js';
import type { LedgerLine } from '../book/ledger-record.js';
import type { Acknowledgement, Answered, Evidence, Finding, Shown } from '../oracle/evidence.js';
import { judge } from '../oracle/judge.js';
import { generateProgram } from '../program/generate-program.js';
import type { Program } from '../program/program.js';
import { Chaos, type ChaosOptions } from './chaos.js';
import { collectForgotten, collectRuns } from './collect-evidence.js';
import type { Deployment } from './deployment.js';
import { ProgramClient } from './program-client.js';

export interface CrashTestOptions {
  readonly deployment: Deployment;
  /** For the acknowledgements, the log of the disturbances and what is found. */
  readonly folder: string;
  readonly seed: number;
  readonly programs: number;
  /** Programs under way at once. */
  readonly atOnce: number;
  readonly size: number;
  readonly crashPercent: number;
  readonly chaos: Pick<ChaosOptions, 'gapMs' | 'holdMs' | 'workerKillsMax'>;
  /** No disturbance begins later. */
  readonly disturbMs: number;
  /** When nothing is disturbed any more, every program must have ended within this time. */
  readonly settleMs: number;
  readonly log?: (text: string) => void;
}

/** What a person needs who wants to know why. */
export const explainFindings = ({ findings }: CrashTestReport, { seed, programs, folder }: Pick<CrashTestOptions, 'seed' | 'programs' | 'folder'>): string =>
  [
    `seed ${seed}: ${findings.length} findings`,
    ...findings.slice(0, FINDINGS_SHOWN).map(({ oracle, what }) => `  ${oracle}: ${what.slice(0, FINDING_CHARS_MAX)}`),
    `All are in ${folder}/findings.json, beside the data folder, the ledger, the acknowledgements and the log of the disturbances.`,
    'The seed decides the programs and the order of the disturbances; their real timing cannot be repeated.',
    `To try again: npm run test:crash -- --seed ${seed} --programs ${programs} --minutes 0`,
  ].join('\n');

export interface CrashTestReport {
  readonly findings: readonly Finding[];
  readonly figures: Readonly<Record<string, number>>;
}

const FINDINGS_SHOWN = 40;
const FINDING_CHARS_MAX = 1_500;
const STALL_MS = 45_000;
/** Disturbances last until so much of the programs has ended. */
const DISTURBED_SHARE = 0.95;

const WORKFLOW = fileURLToPath(new URL('../../src/interpreter/interpret.workflow.ts', import.meta.url));

/** Runs random programs on a deployment that is being disturbed, then judges what came of them. */
export const runCrashTest = async (options: CrashTestOptions): Promise<CrashTestReport> => {
  mkdirSync(options.folder, { recursive: true });
  const { deployment } = options;
  await deployment.start();
  let stopped = false;
  try {
    // Clients would wait for a server that cannot start, for as long as for one that is killed.
    for (const { faults: [fault] } of deployment.processes) if (fault !== undefined) throw new Error(`The deployment does not start: ${fault}`);
    const played = await playAll(options);
    // What counts is what is on disk: memory is lost once more before anybody looks.
    await Promise.all(deployment.processes.filter(({ options }) => options.role !== 'worker').map((each) => each.kill().then(() => each.start())));
    const quiet = new Client({ url: deployment.quietDoor, retryFor: '1 minute' });
    const forgotten = await collectForgotten(quiet, played.acknowledgements);
    const runs = await collectRuns(quiet);
    await quiet.close();
    await deployment.stop();
    stopped = true;
    const leftovers = [...(await deployment.leftovers()), ...deployment.processes.flatMap(({ faults }) => faults), ...played.stuck];
    const evidence: Evidence = { ...played, runs, forgotten, ledger: readLines<LedgerLine>(deployment.ledgerPath), leftovers, dropsAtOnce: deployment.dropsAtOnce };
    const findings = judge(evidence);
    writeFileSync(join(options.folder, 'findings.json'), JSON.stringify(findings, undefined, 2));
    return { findings, figures: { programs: options.programs, ...played.counts, ...figuresOf(deployment, evidence), ...deployment.figures() } };
  } finally {
    if (!stopped) await Promise.all(deployment.processes.map((each) => each.kill()));
  }
};

interface Played extends Pick<Evidence, 'programs' | 'acknowledgements' | 'shown' | 'answered'> {
  readonly stuck: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

const playAll = async (options: CrashTestOptions): Promise<Played> => {
  const { deployment, folder, seed, chaos, size, crashPercent } = options;
  const programs = Array.from({ length: options.programs }, (_, index) => generateProgram({ seed, index, size, crashPercent }));
  const acknowledged = new AppendFile<Acknowledgement>(join(folder, 'acknowledged.jsonl'));
  const clients = deployment.doors.map((url) => new Client({ url, retryFor: '1 hour' }));
  const { code, sourceMap } = await bundle({ entry: WORKFLOW });
  await clients[0]!.deploy({ name: 'ledger', code, sourceMap });
  const play = new Players({ ...options, clients, acknowledged, list: programs });
  const disturbing = new Chaos({ ...chaos, deployment, seed, log: join(folder, 'chaos.log') });
  const over = new AbortController();
  const disturbed = disturbing.run(over.signal);
  await Promise.race([play.nearlyAll, disturbed, play.stalled(over.signal), pause(options.disturbMs, undefined, { signal: over.signal })]);
  over.abort();
  await disturbed;
  const probe = probeOf(seed);
  const back = play.probe(probe);
  const stuck = await play.settle(options.settleMs);
  const counts = stuck.length === 0 ? { ...disturbing.counts, 'ms until a run went through after the last disturbance': await back } : disturbing.counts;
  if (stuck.length === 0) await Promise.all(clients.map((client) => client.close()));
  acknowledged.close();
  return { programs: [...programs, probe], acknowledgements: readLines<Acknowledgement>(join(folder, 'acknowledged.jsonl')), shown: play.shown, answered: play.answered, stuck, counts };
};

/** The least that goes all the way. */
const probeOf = (seed: number): Program => ({ name: `p${seed}-probe`, steps: [{ do: 'activity', n: 1, behaviour: { kind: 'ok' } }], lanes: [], onCancel: 'return' });

interface PlayersOptions extends CrashTestOptions {
  readonly clients: readonly Client[];
  readonly acknowledged: AppendFile<Acknowledgement>;
  readonly list: readonly Program[];
}

/** The clients of all programs, so many at once. */
class Players {
  readonly shown: Shown[] = [];
  readonly answered: Answered[] = [];
  readonly #options: PlayersOptions;
  readonly #playing = new Map<string, Program>();
  readonly #left: Iterator<[number, Program]>;
  readonly #failed: string[] = [];
  readonly #nearlyAll = Promise.withResolvers<void>();
  #all: Promise<unknown>;

  constructor(options: PlayersOptions) {
    this.#options = options;
    this.#left = options.list.entries();
    this.#all = Promise.all(Array.from({ length: options.atOnce }, () => this.#playOn()));
  }

  /** Few are left: what is disturbed from now on would only make the end longer. */
  get nearlyAll(): Promise<void> {
    return this.#nearlyAll.promise;
  }

  /** No program has ended for a while: they must be left in peace to show whether they ever will. */
  async stalled(over: AbortSignal): Promise<void> {
    for (let ended = -1; ended !== this.#ended; ) {
      ended = this.#ended;
      await pause(STALL_MS, undefined, { signal: over });
    }
  }

  get #ended(): number {
    return this.answered.length + this.#failed.length;
  }

  /** One program more, of which somebody wants to know how long it takes, milliseconds. */
  async probe(program: Program): Promise<number> {
    const beganMs = performance.now();
    const { clients, seed, acknowledged } = this.#options;
    this.#playing.set(program.name, program);
    const played = this.#play(new ProgramClient({ client: clients[0]!, program, seed, acknowledged, shown: this.shown }), program);
    this.#all = Promise.all([this.#all, played]);
    await played;
    return Math.round(performance.now() - beganMs);
  }

  /** Waits for the rest; says who has not ended. */
  async settle(ms: number): Promise<string[]> {
    const over = new AbortController();
    await Promise.race([this.#all, pause(ms, undefined, { signal: over.signal })]);
    over.abort();
    return [...this.#failed, ...[...this.#playing.keys()].map((name) => `${name}: its client still waits, ${ms} ms after the last disturbance`)];
  }

  async #playOn(): Promise<void> {
    const { clients, acknowledged, seed, log, list } = this.#options;
    for (let next = this.#left.next(); !next.done; next = this.#left.next()) {
      const [index, program] = next.value;
      this.#playing.set(program.name, program);
      await this.#play(new ProgramClient({ client: clients[index % clients.length]!, program, seed: seed + index, acknowledged, shown: this.shown }), program);
      if (this.#ended % 250 === 0) log?.(`${this.#ended} of ${list.length} programs have ended`);
      if (this.#ended >= list.length * DISTURBED_SHARE) this.#nearlyAll.resolve();
    }
  }

  async #play(client: ProgramClient, { name }: Program): Promise<void> {
    try {
      this.answered.push(await client.play());
    } catch (error) {
      this.#failed.push(`${name}: its client failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
    this.#playing.delete(name);
  }
}

const figuresOf = ({ proxies, processes }: Deployment, { runs, ledger, acknowledgements }: Evidence): Record<string, number> => ({
  runs: [...runs.values()].flat().length,
  events: [...runs.values()].flat().reduce((sum, { events }) => sum + events.length, 0),
  'acknowledged inputs': acknowledgements.length,
  executions: ledger.filter(({ kind }) => kind === 'attempt').length,
  'effects applied': ledger.filter(({ applied }) => applied).length,
  'effects asked for again': ledger.filter(({ applied }) => applied === false).length,
  'answers cut': proxies.reduce((sum, { done }) => sum + done.answers, 0),
  'requests cut': proxies.reduce((sum, { done }) => sum + done.requests, 0),
  'processes started': processes.reduce((sum, { starts }) => sum + starts, 0),
});
