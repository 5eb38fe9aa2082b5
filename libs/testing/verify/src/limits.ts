/** A replay on a loaded machine is slower than the run was. */
export const ACTIVATION_MS = 30_000;
