import { FolderLogArchive } from '@perdure/archive';
import { SystemClock } from '@perdure/clock';
import { wholeLog, type SliceName } from '@perdure/delivery';
import { KafkaLogs } from '@perdure/kafka';

export interface LogsInMesh {
  /** Records that are in neither the log nor its archive, or that are there twice; each one sentence. */
  readonly findings: readonly string[];
  readonly records: number;
  /** Of them, in the archive alone. */
  readonly trimmed: number;
}

/** Reads the logs of a mesh from their first record, out of archive and Kafka. */
export async function logsInMesh({ kafka, archive: folder, slices }: { readonly kafka: string; readonly archive: string; /** Of each service. */ readonly slices: number }): Promise<LogsInMesh> {
  const logs = await KafkaLogs.connect({ brokers: [kafka], prefix: 'perdure', counts: { history: slices, correlation: slices }, clock: new SystemClock(), random: Math.random });
  const archive = new FolderLogArchive(folder);
  const findings: string[] = [];
  let [records, trimmed] = [0, 0];
  try {
    for (const service of ['history', 'correlation'] as const) {
      for (let index = 0; index < slices; index++) {
        const slice: SliceName = `${service}/${index}`;
        const log = logs.of(slice);
        const found = await readWhole(slice, wholeLog({ slice, archive, log }));
        const { begin, end } = await log.describe();
        findings.push(...found.findings);
        if (found.next !== end && found.findings.length === 0) findings.push(`the log of ${slice} ends at ${end}, and was read to ${found.next}`);
        records += end;
        trimmed += begin;
      }
    }
  } finally {
    await logs.close();
  }
  return { findings, records, trimmed };
}

async function readWhole(slice: SliceName, records: ReturnType<typeof wholeLog>): Promise<{ readonly findings: readonly string[]; readonly next: number }> {
  const ids = new Set<string>();
  let next = 0;
  try {
    for await (const { offset, id } of records) {
      if (offset !== next) return { findings: [`the log of ${slice} has record ${offset} where ${next} should be`], next };
      if (ids.has(id)) return { findings: [`the log of ${slice} has record ${id} twice`], next };
      ids.add(id);
      next = offset + 1;
    }
    return { findings: [], next };
  } catch (thrown) {
    return { findings: [`the log of ${slice} cannot be read whole: ${(thrown as Error).message}`], next };
  }
}
