import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Activation, Realm } from './realm.js';
import { Sandbox } from './sandbox.js';

/** Each job is code to evaluate; `ground` is there at the baseline. */
const codeOf = (bundle: number): string => `
globalThis.kept = [];
globalThis.name = 'bundle ${bundle}';
globalThis.ground = new Uint8Array(${bundle * 40_000});
let told = '';
globalThis.__perdure = {
  activate(job) { try { told = String((0, eval)(job)); } catch (error) { told = 'threw ' + error; } },
  drain() { return told || 'nothing'; },
  manifest() { return '{}'; },
};`;

/** What a job may do, with a number to tell jobs apart; each answers with something of what the realm was before. */
const JOBS: readonly ((n: number) => string)[] = [
  (n) => `kept.push(${n}); name + kept.map(String).join().length`,
  (n) => `ground.fill(${n % 251}, ${n % 900}, ${n % 900} + 70); ground.reduce((a, b) => (a * 31 + b) | 0, 7)`,
  (n) => `kept.push(Array.from({ length: ${n} }, (_, i) => ({ i, text: 't' + i * ${n} }))); JSON.stringify(kept).length`,
  (n) => `kept.push(new Uint8Array(${n} * 100).fill(${n % 251})); kept.length`,
  (n) => `(() => { const v = new DataView(new ArrayBuffer(4096)); for (let i = 0; i < 4000; i += 61) v.setFloat64(i + 1, i / ${n + 1}); kept.push(v); return kept.length; })()`,
  (n) => `kept.push(typeof globalThis.g${n % 5}); globalThis.g${n % 5} = () => ${n}; kept.splice(0, 2).length`,
  (n) => `(async () => { await null; await new Promise((r) => (globalThis.resume = r)); kept.push('later ${n}'); })(); String(globalThis.resume?.(1))`,
  (n) => `globalThis.resume?.(${n}); kept.at(-1)?.toString().slice(0, 40)`,
  () => `kept.length = 0; JSON.stringify(Object.keys(globalThis)).length`,
  (n) => `'x'.repeat(${n} * 300).length + new Array(${n}).fill('y').join('').length`,
  () => `kept.toString().length + ':' + name + typeof resume`,
  () => `for (;;) kept.push(new Uint8Array(65536).fill(1))`,
];

/** How often what is done with a job. */
const WAYS = { activate: 8, keep: 6, refuse: 2, throw: 1, probe: 2, snapshot: 2, restore: 1, reopen: 1 } as const;
type Way = keyof typeof WAYS;
const LIMITS = { memoryBytes: 4 * 1024 * 1024, activationMs: 60_000 };
const KEY = new Uint8Array(32);
const BUNDLES = [0, 1];
const REALMS = 6;
const TIMEOUT_MS = 60_000;
const HEAD_AT = 35;
/** Most that realms so small can hold. */
const HELD_MAX = 64 * 1024 * 1024;

const ways = fc.oneof(...Object.entries(WAYS).map(([way, weight]) => ({ weight, arbitrary: fc.constant(way as Way) })));
/** `stays`: the realm that had the last turn has this one too. */
const step = fc.record({ realm: fc.nat(REALMS - 1), stays: fc.boolean(), way: ways, job: fc.nat(JOBS.length - 1), n: fc.nat(1500) });

/** Without what names the bundle, which is not the same in both. */
const imageOf = (snapshot: Uint8Array): Buffer => Buffer.from(snapshot.subarray(HEAD_AT + Buffer.from(snapshot).readUInt16LE(HEAD_AT - 2)));

describe('Sandbox', () => {
  let [crowd, alone] = [] as unknown as [Sandbox, Sandbox];
  beforeAll(async () => {
    // Few stages, and small ones, so that all that can be done to a realm is.
    crowd = await Sandbox.create({ limits: { ...LIMITS, stagesMax: 4, largeRealmBytes: 64 * 1024, stageSurplusBytesMax: 512 * 1024 }, snapshotKey: KEY });
    alone = await Sandbox.create({ limits: { ...LIMITS, stagesMax: 4 * REALMS, largeRealmBytes: LIMITS.memoryBytes * 2, stageSurplusBytesMax: LIMITS.memoryBytes * 2 }, snapshotKey: KEY });
    for (const bundle of BUNDLES) crowd.loadBundle({ hash: `b${bundle}`, code: codeOf(bundle) });
    // One bundle for each realm: nobody else is ever on its stage.
    for (let realm = 0; realm < REALMS; realm++) alone.loadBundle({ hash: `r${realm}`, code: codeOf(realm % BUNDLES.length) });
  });
  afterAll(() => [crowd, alone].forEach((sandbox) => sandbox.dispose()));

  class Side {
    readonly #sandbox: Sandbox;
    readonly #bundle: string;
    realm: Realm;
    constructor(sandbox: Sandbox, bundle: string) {
      this.#sandbox = sandbox;
      this.#bundle = bundle;
      this.realm = sandbox.openRealm(bundle);
    }
    reopen(): void {
      this.realm.close();
      this.realm = this.#sandbox.openRealm(this.#bundle);
    }
    restore(): void {
      const image = this.realm.snapshot();
      this.realm.close();
      this.realm = this.#sandbox.restoreRealm(this.#bundle, image)!;
    }
    do(way: Way, code: string): unknown {
      if (way === 'reopen') return this.reopen();
      if (way === 'restore') return this.restore();
      if (way === 'snapshot') return imageOf(this.realm.snapshot()).toString('base64');
      const result = this.#run(way, code);
      if (typeof result === 'object' && result.kind === 'voided') this.reopen();
      return result;
    }
    #run(way: Way, code: string): Activation | string {
      if (way === 'activate') return this.realm.activate(code);
      if (way === 'probe') return this.realm.probe(code);
      const refused = (): boolean => {
        if (way === 'throw') throw new Error('no answer');
        return way === 'refuse';
      };
      try {
        return this.realm.activateUnless(code, refused);
      } catch (thrown) {
        return String(thrown);
      }
    }
  }

  it('gives each realm what it would have alone, whoever else takes turns with it and however', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 90, size: 'max' }), (steps) => {
        const pairs = Array.from({ length: REALMS }, (_, index) => [new Side(crowd, `b${index % BUNDLES.length}`), new Side(alone, `r${index}`)] as const);
        try {
          let turn = 0;
          for (const { realm, stays, way, job, n } of steps) {
            if (!stays) turn = realm;
            const [one, other] = pairs[turn]!;
            const code = JOBS[job]!(n);
            expect(one.do(way, code)).toEqual(other.do(way, code));
          }
          for (const [one, other] of pairs) expect(imageOf(one.realm.snapshot()).equals(imageOf(other.realm.snapshot()))).toBe(true);
        } finally {
          for (const side of pairs.flat()) side.realm.close();
        }
        expect([crowd.heldBytes < HELD_MAX, crowd.stats().liveRealms]).toEqual([true, 0]);
      }),
      { numRuns: 25 },
    );
  }, TIMEOUT_MS);
});
