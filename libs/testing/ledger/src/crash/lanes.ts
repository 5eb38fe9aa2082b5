/** How often each disturbance comes in a lane, against the others. */
export type Weights = Readonly<Partial<Record<'killServer' | 'stopServer' | 'holdServer' | 'killSidecar' | 'holdSidecar' | 'killStore' | 'stopStore' | 'holdStore' | 'killWorker' | 'stopWorker' | 'holdWorker' | 'killLedger' | 'holdLedger' | 'cut' | 'cutLink' | 'slowLink', number>>>;

/** In each lane one thing goes wrong after the other; as many go wrong at once as there are lanes. */
export type Lanes = Readonly<Record<string, Weights>>;

/** What is around the servers: the same for every deployment. */
const SURROUNDINGS: Weights = { killWorker: 2, stopWorker: 1, holdWorker: 3, killLedger: 1, holdLedger: 1, cut: 5 };

export const STANDALONE_LANES: Lanes = { servers: { killServer: 5, stopServer: 1, holdServer: 2 }, surroundings: SURROUNDINGS };

export const MESH_LANES: Lanes = {
  servers: { killServer: 4, stopServer: 2, holdServer: 4 },
  beneath: { killSidecar: 4, holdSidecar: 2, killStore: 3, holdStore: 2 },
  surroundings: SURROUNDINGS,
  links: { cutLink: 1, slowLink: 2 },
};
