import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { DaprDeclarationStore, DaprState, type DaprSidecar } from '@perdure/dapr';
import { loadDeclarations } from '@perdure/hosting';
import { withDeclarations, type MeshConfig } from '../config.js';
import { MESH_LIMITS } from '../mesh-limits.js';

interface Surroundings {
  readonly sidecar: Pick<DaprSidecar, 'ready' | 'call'>;
  readonly clock: Clock;
  readonly logger: { warn(what: object, message: string): void };
}

/**
 * The configuration with the declarations that all nodes share. A node that cannot read them must not start with its own: a key that was
 * taken back would open it, and events would go to slices where no one waits.
 * @throws PerdureError
 */
export const sharedDeclarations = async (config: MeshConfig, { sidecar, clock, logger }: Surroundings): Promise<MeshConfig> => {
  await untilReady(sidecar, clock);
  const store = new DaprDeclarationStore(new DaprState(sidecar), `${config.prefix}/declarations`);
  const { declarations, isOtherThanSeed } = await loadDeclarations(store, config.declared);
  if (isOtherThanSeed) logger.warn({ key: `${config.prefix}/declarations` }, 'the declarations in state are others than in PERDURE_CONFIG, and they count');
  return withDeclarations(config, declarations);
};

async function untilReady(sidecar: Surroundings['sidecar'], clock: Clock): Promise<void> {
  const deadlineMs = clock.now() + MESH_LIMITS.sidecarWaitMs;
  while (!(await sidecar.ready())) {
    if (clock.now() >= deadlineMs) throw new PerdureError('unavailable', `The sidecar is not there after ${MESH_LIMITS.sidecarWaitMs} ms, and PERDURE_DECLARATIONS=state needs it.`);
    await new Promise<void>((resolve) => clock.at(clock.now() + MESH_LIMITS.sidecarLookEveryMs, resolve));
  }
}
