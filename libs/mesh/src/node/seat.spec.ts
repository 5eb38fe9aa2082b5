import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { passTime } from '@perdure/clock/testing';
import type { MeshNode } from '@perdure/delivery';
import { MemoryMembership, MemoryRegistry } from '@perdure/delivery/testing';
import { pino } from 'pino';
import { MESH_LIMITS } from '../mesh-limits.js';
import { Seat } from './seat.js';

const SELF: MeshNode = { id: '1', service: 'history', address: '127.0.0.1:1' };

const seated = async () => {
  const clock = new ManualClock();
  const registry = new MemoryRegistry();
  const sidecar = { isThere: true };
  const seat = new Seat({ self: SELF, membership: new MemoryMembership(registry), hasSidecar: async () => sidecar.isThere, clock, logger: pino({ level: 'silent' }) });
  await seat.take();
  const pass = (ms: number): Promise<void> => {
    const endMs = clock.now() + ms;
    return passTime(clock, { until: () => clock.now() >= endMs, stepMs: 250 });
  };
  return { registry, sidecar, seat, pass };
};

describe('Seat', () => {
  it('is kept while the sidecar is away for a short time', async () => {
    const { registry, sidecar, pass } = await seated();
    sidecar.isThere = false;
    await pass(MESH_LIMITS.sidecarGoneAfterMs - MESH_LIMITS.sidecarWatchEveryMs);
    sidecar.isThere = true;
    await pass(MESH_LIMITS.sidecarGoneAfterMs * 2);
    expect(registry.nodes).toEqual([SELF]);
  });

  it('is given up when the sidecar stays away, and taken again when it is back', async () => {
    const { registry, sidecar, seat, pass } = await seated();
    sidecar.isThere = false;
    await pass(MESH_LIMITS.sidecarGoneAfterMs + 2 * MESH_LIMITS.sidecarWatchEveryMs);
    expect(registry.nodes).toEqual([]);
    expect(seat.isTaken).toBe(false);
    sidecar.isThere = true;
    await pass(2 * MESH_LIMITS.sidecarWatchEveryMs);
    expect(registry.nodes).toEqual([SELF]);
    expect(seat.isTaken).toBe(true);
  });

  it('is left for good', async () => {
    const { registry, seat, pass } = await seated();
    await seat.leave();
    await pass(10_000);
    expect(registry.nodes).toEqual([]);
  });
});
