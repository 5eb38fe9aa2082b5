import { Counter, Gauge, type Registry } from 'prom-client';

/** How the archive of a node's logs gets on. */
export class ArchiveMetrics {
  readonly #records: Counter;
  readonly #segments: Counter;
  readonly #failures: Counter;

  /** `waiting`: asked when someone looks. */
  constructor(registry: Registry, waiting: () => number) {
    const registers = [registry];
    this.#records = new Counter({ name: 'perdure_log_archived_records_total', help: 'Records of logs put into the archive', registers });
    this.#segments = new Counter({ name: 'perdure_log_archived_segments_total', help: 'Segments put into the archive', registers });
    this.#failures = new Counter({ name: 'perdure_log_archive_failures_total', help: 'Times that a log could not be archived or trimmed; it is tried again', registers });
    new Gauge({
      name: 'perdure_log_unarchived_records', help: 'Committed records of logs that are not in the archive, as far as it is known', registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  archived(records: number): void {
    this.#records.inc(records);
    this.#segments.inc();
  }

  failed(): void {
    this.#failures.inc();
  }
}
