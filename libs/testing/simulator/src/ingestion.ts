import { inputRefOf, type ExternalEvent, type Input, type InputOutcome, type InputRef, type Json } from '@perdure/contract';
import type { EventTypes } from '@perdure/correlation';
import { answerFor, type DecidedInput } from '@perdure/identity';
import { BundleRegistry, Events, EventTranslator, Outcomes, RunReader, Workflows, type CloudEvent, type EventLog, type Log, type Queries } from '@perdure/ingestion';
import type { Door } from './door.js';
import type { SimProcess } from './sim-process.js';
import { BUNDLE } from './sim-realms.js';

const notHere = (): never => {
  throw new Error('not in the simulated world');
};

export interface IngestionPorts {
  readonly log: Log;
  readonly outcomes: Outcomes;
  readonly queries: Queries;
  readonly events: EventLog;
}

/** The services of ingestion over a shape's ports. */
export function openDoor(process: SimProcess, eventTypes: EventTypes, ports: IngestionPorts): Door {
  const translator = new (class extends EventTranslator {
    override fromCloudEvent(tenant: string, { id, source, type, data }: CloudEvent): ExternalEvent {
      return eventTypes.toExternalEvent(tenant, { id, source, type, ...(data === undefined ? {} : { data: data as Json }) }, process.clock.now());
    }
    override fromWebhook = notHere;
  })();
  const { log, outcomes, queries } = ports;
  return { process, workflows: new Workflows({ log, outcomes, queries, runs: new NoReader(), bundles: new OneBundle(), clock: process.clock }), events: new Events(ports.events, translator) };
}

const POLL_MS = 150;

/** Nobody gives hints here: whoever waits looks again. */
export class PollingOutcomes extends Outcomes {
  readonly #process: SimProcess;
  readonly #decided: (ref: InputRef) => Promise<DecidedInput | undefined>;

  constructor(process: SimProcess, decided: (ref: InputRef) => Promise<DecidedInput | undefined>) {
    super();
    this.#process = process;
    this.#decided = decided;
  }

  override async find(ref: InputRef): Promise<InputOutcome | undefined> {
    return (await this.#decided(ref))?.outcome;
  }

  override async await(input: Input, { untilMs, done }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean }): Promise<InputOutcome | undefined> {
    for (;;) {
      const decided = await this.#decided(inputRefOf(input));
      const outcome = decided && answerFor(input, decided);
      if ((outcome && done(outcome)) || this.#process.clock.now() >= untilMs) return outcome;
      await this.#process.sleep(POLL_MS);
    }
  }
}

class NoReader extends RunReader {
  override find = notHere;
  override list = notHere;
  override history = notHere;
  override result = notHere;
  override whenClosed = notHere;
}

class OneBundle extends BundleRegistry {
  override deploy = notHere;
  override list = notHere;
  override find = notHere;
  override async defaultFor(): Promise<string | undefined> {
    return BUNDLE;
  }
  override retire = notHere;
}
