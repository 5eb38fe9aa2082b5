import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { passTime } from '@perdure/clock/testing';
import { PerdureError } from '@perdure/contract';
import { LogMismatch, type MeshNode, type OwnerEvents, type SliceMachine, type SliceName, type SliceOwner } from '@perdure/delivery';
import { MemoryMembership, MemoryRegistry } from '@perdure/delivery/testing';
import { pino } from 'pino';
import { MESH_LIMITS } from '../mesh-limits.js';
import { SliceHost } from './slice-host.js';

type Owner = SliceOwner<unknown, SliceMachine<unknown>>;

const SLICES = Array.from({ length: 8 }, (_, index): SliceName => `history/${index}`);
const nodeOf = (id: string): MeshNode => ({ id, service: 'history', address: `127.0.0.1:${id}` });

/** A node whose owners are only noted. */
const world = (clock: ManualClock, registry: MemoryRegistry) => {
  const start = async (id: string, { fail }: { readonly fail?: (slice: SliceName) => Error | undefined } = {}) => {
    const membership = new MemoryMembership(registry);
    const self = nodeOf(id);
    const opened: SliceName[] = [];
    const closed: SliceName[] = [];
    const events = new Map<SliceName, OwnerEvents>();
    const owners = new Map<SliceName, { isDown: boolean }>();
    let opening = 0;
    let openingMost = 0;
    const open = async (slice: SliceName, told: OwnerEvents): Promise<Owner> => {
      openingMost = Math.max(openingMost, ++opening);
      await new Promise((resolve) => setImmediate(resolve));
      opening -= 1;
      const error = fail?.(slice);
      if (error) throw error;
      opened.push(slice);
      events.set(slice, told);
      const owner = { isDown: false, epoch: 1, close: async () => void (closed.push(slice), (owner.isDown = true)) };
      owners.set(slice, owner);
      return owner as unknown as Owner;
    };
    const host = new SliceHost({ self, slices: SLICES, membership, open, clock, random: () => 0.5, logger: pino({ level: 'silent' }) });
    await membership.join(self);
    host.start();
    const owned = (): SliceName[] => SLICES.filter((slice) => host.owner(slice));
    return { host, membership, opened, closed, owned, lose: (slice: SliceName, error: PerdureError) => ((owners.get(slice)!.isDown = true), events.get(slice)!.steppedDown!(slice, error)), openingMost: () => openingMost };
  };
  return { start };
};

const passing = (clock: ManualClock, until: () => boolean, why: string): Promise<void> => passTime(clock, { until, why });

describe('SliceHost', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  it('opens all slices of a lone node, few at a time', async () => {
    const clock = new ManualClock();
    const a = await world(clock, new MemoryRegistry()).start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    expect(a.openingMost()).toBeLessThanOrEqual(MESH_LIMITS.openingsMax);
    expect(a.host.missing).toEqual([]);
  });

  it('shares with a second node, and takes over when it goes', async () => {
    const clock = new ManualClock();
    const { start } = world(clock, new MemoryRegistry());
    const a = await start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    const b = await start('2');
    await passing(clock, () => a.owned().length + b.owned().length === SLICES.length && b.owned().length > 0, 'shared');
    expect(a.owned().filter((slice) => b.owned().includes(slice))).toEqual([]);
    expect([...a.closed].sort()).toEqual([...b.owned()].sort());
    for (const slice of SLICES) expect(a.host.nodeOf(slice)?.id).toBe(b.owned().includes(slice) ? '2' : '1');
    await b.membership.leave();
    await passing(clock, () => a.owned().length === SLICES.length, 'has all again');
    // Theirs is decided by the epoch; a node that is not on the list lets go a little later.
    await passing(clock, () => b.closed.length === b.opened.length, 'has let go');
  });

  it('keeps its slices while a list without it is a moment old, and lets them go when it stays so', async () => {
    const clock = new ManualClock();
    const a = await world(clock, new MemoryRegistry()).start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    await a.membership.leave();
    clock.advanceBy(MESH_LIMITS.absenceGraceMs - 1);
    await a.membership.join(nodeOf('1'));
    clock.advanceBy(60_000);
    expect(a.closed).toEqual([]);
    await a.membership.leave();
    await passing(clock, () => a.owned().length === 0, 'has let go');
    expect(a.closed).toHaveLength(SLICES.length);
    await a.membership.join(nodeOf('1'));
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all again');
  });

  it('does not take back what it lost while it was not on the list', async () => {
    const clock = new ManualClock();
    const a = await world(clock, new MemoryRegistry()).start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    await a.membership.leave();
    a.lose(SLICES[0]!, new PerdureError('not-owner', 'another has it'));
    await passing(clock, () => a.owned().length === 0, 'has let go');
    expect(a.opened).toHaveLength(SLICES.length);
  });

  it('opens again, after a growing pause, what another took without being placed there', async () => {
    const clock = new ManualClock();
    const a = await world(clock, new MemoryRegistry()).start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    const slice = SLICES[0]!;
    const pauses: number[] = [];
    for (let times = 0; times < 3; times++) {
      a.lose(slice, new PerdureError('not-owner', 'another has it'));
      expect(a.host.owner(slice)).toBeUndefined();
      const lostAt = clock.now();
      await passing(clock, () => a.host.owner(slice) !== undefined, 'has it again');
      pauses.push(clock.now() - lostAt);
    }
    expect(pauses[1]!).toBeGreaterThan(pauses[0]!);
    expect(pauses[2]!).toBeGreaterThan(pauses[1]!);
  });

  it('tries what does not open again, but not a slice whose log is another', async () => {
    const clock = new ManualClock();
    let failures = 3;
    const a = await world(clock, new MemoryRegistry()).start('1', {
      fail: (slice) => {
        if (slice === SLICES[1]) return new LogMismatch(slice, 'is shorter');
        return slice === SLICES[0] && failures-- > 0 ? new PerdureError('unavailable', 'no store') : undefined;
      },
    });
    await passing(clock, () => a.owned().length === SLICES.length - 1, 'owns all but one');
    clock.advanceBy(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(a.host.missing).toEqual([{ slice: SLICES[1], why: expect.stringContaining('is shorter') as unknown as string }]);
  });

  it('lets go of everything when it stops', async () => {
    const clock = new ManualClock();
    const a = await world(clock, new MemoryRegistry()).start('1');
    await passing(clock, () => a.owned().length === SLICES.length, 'owns all');
    await a.host.stop();
    expect([...a.closed].sort()).toEqual([...SLICES].sort());
    expect(a.owned()).toEqual([]);
  });
});
