import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle } from '@perdure/bundler';
import type { RunState } from '@perdure/engine';
import { decodeSnapshot, encodeSnapshot } from '@perdure/history';
import { Sandbox, type Realm } from '@perdure/sandbox';
import fc from 'fast-check';
import { newBundle } from './check-program.js';

const KEY = new Uint8Array(32).fill(5);
const STARTED = JSON.stringify({ kind: 'started', at: 5, run: { tenant: 't', workflowId: 'w', runId: '0'.repeat(32) }, workflowType: 'small', pin: {}, chain: 'r', input: { id: 'i', fails: 0, waits: true } });
const CLOSED = JSON.stringify({ kind: 'activityClosed', at: 9, seq: 1, attempts: 1, outcome: { status: 'completed', value: 7 } });

/** What a bad disk, or somebody with access to it, may do to bytes. */
const damaged = (bytes: Uint8Array): fc.Arbitrary<Uint8Array> => {
  const at = fc.nat(bytes.length - 1);
  return fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([where, by]) => bytes.map((byte, index) => (index === where ? byte ^ by : byte))),
    at.map((length) => bytes.slice(0, length)),
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => Uint8Array.from([...bytes, ...more])),
    fc.tuple(at, at).filter(([from, to]) => from < to).map(([from, to]) => Uint8Array.from([...bytes.subarray(0, from), ...bytes.subarray(to)])),
    fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(([from, put]) => Uint8Array.from([...bytes.subarray(0, from), ...put, ...bytes.subarray(from + put.length)])).filter((each) => Buffer.compare(each, bytes) !== 0),
    fc.uint8Array({ maxLength: bytes.length }),
  );
};

describe('a snapshot of which a byte is another', () => {
  let made: Bundle;
  let sandbox: Sandbox;
  let image: Uint8Array;
  let next: ReturnType<Realm['activate']>;

  beforeAll(async () => {
    made = await newBundle();
    sandbox = await Sandbox.create({ snapshotKey: KEY });
    sandbox.loadBundle(made);
    const realm = sandbox.openRealm(made.hash);
    realm.activate(STARTED);
    image = realm.snapshot();
    next = realm.activate(CLOSED);
  });

  it('is taken as it is', () => {
    const realm = sandbox.restoreRealm(made.hash, image)!;
    expect(realm.activate(CLOSED)).toEqual(next);
    realm.close();
  });

  it('is refused, whichever byte it is', () => {
    for (let at = 0; at < image.length; at++) {
      const other = Uint8Array.from(image);
      other[at]! ^= 1 << at % 8;
      expect({ at, realm: sandbox.restoreRealm(made.hash, other) }).toEqual({ at, realm: undefined });
    }
    expect(sandbox.stats().liveRealms).toBe(1);
  });

  it('is refused, however it was damaged', () => {
    fc.assert(fc.property(damaged(image), (other) => sandbox.restoreRealm(made.hash, other) === undefined), { numRuns: 2_000 });
  });

  it('does not authenticate as the row of its run, its moment and its history either', () => {
    const binding = { run: 'r', last: 3, digest: new Uint8Array(16).fill(1) };
    const body = encodeSnapshot(KEY, binding, { state: { status: 'running' } as RunState, image });
    expect(decodeSnapshot(KEY, binding, body)?.state).toEqual({ status: 'running' });
    fc.assert(fc.property(damaged(body), (other) => decodeSnapshot(KEY, binding, other) === undefined), { numRuns: 2_000 });
    for (let at = 0; at < body.length; at++) {
      const other = Uint8Array.from(body);
      other[at]! ^= 1 << at % 8;
      expect({ at, decoded: decodeSnapshot(KEY, binding, other) }).toEqual({ at, decoded: undefined });
    }
    for (const wrong of [{ ...binding, run: 's' }, { ...binding, last: 4 }, { ...binding, digest: new Uint8Array(16) }]) expect(decodeSnapshot(KEY, wrong, body)).toBeUndefined();
  });
});
