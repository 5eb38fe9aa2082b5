import { replayPlan, type ReplayStep } from '@perdure/engine';
import { activate, type Realm } from '@perdure/history';
import type { Sandbox } from '@perdure/sandbox';
import type { FoldedRun } from '@perdure/verify';
import type { Restorer } from './restorer.js';
import type { RestoredStep, StepDone } from './restorer-wire.js';

/**
 * Each step of a history, done by two: by a realm that has lived from the start, and by another process that restored the realm's image of the moment before. They
 * must ask for the same and leave the same memory, byte for byte. Gives how many steps were done; throws where they part.
 */
export const checkRestored = async (run: FoldedRun, { sandbox, restorer }: { readonly sandbox: Sandbox; readonly restorer: Restorer }): Promise<number> => {
  const { bundle } = run.state.pin;
  const plan = [...replayPlan(run.transitions)];
  const lived = liveThrough(sandbox.openRealm(bundle), plan);
  const restored = await restorer.restore(bundle, lived.map(({ step }) => step));
  for (const [index, { done }] of lived.entries()) {
    const other = restored[index]!;
    const n = plan[index]!.first;
    if (done.outputs.join('\n') !== other.outputs.join('\n')) throw new Error(`run ${run.state.run.runId}: the step at event ${n} asks for\n  ${done.outputs.join('\n  ')}\nand restored in process ${restorer.pid} for\n  ${other.outputs.join('\n  ')}`);
    if (Buffer.compare(done.image!, other.image ?? Buffer.alloc(0)) !== 0) throw new Error(`run ${run.state.run.runId}: after the step at event ${n} the restored realm has another memory`);
  }
  return lived.length;
};

const liveThrough = (realm: Realm, plan: readonly ReplayStep[]): { readonly step: RestoredStep; readonly done: StepDone }[] => {
  try {
    return plan.map(({ jobs }) => {
      const image = realm.snapshot();
      const outputs = jobs.map((job) => JSON.stringify(activate(realm, job)));
      return { step: { image, jobs }, done: { outputs, image: realm.snapshot() } };
    });
  } finally {
    realm.close();
  }
};
