import fc from 'fast-check';

/** Bundles that no bundler made: bytes, mutations of a real one, what is too large, evaluates badly, or has a source map that lies. */
export const fuzzBundle = (real: string): fc.Arbitrary<{ readonly name: string; readonly code: string; readonly sourceMap?: string }> => {
  const code = fc.oneof(
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 500 }) },
    { weight: 6, arbitrary: mutatedText(real) },
    { weight: 2, arbitrary: fc.constantFrom(...HAND_MADE) },
    { weight: 2, arbitrary: fc.constant(real) },
  );
  return fc.record({ name: fc.constant('fuzzed'), code, sourceMap: fc.option(sourceMap, { nil: undefined }) }).map(({ sourceMap: map, ...rest }) => (map === undefined ? rest : { ...rest, sourceMap: map }));
};

const HAND_MADE = [
  '', ';', 'for (;;);', 'throw 1', 'throw undefined', 'globalThis.__perdure = 7', 'globalThis.__perdure = {}', 'globalThis.__perdure = { manifest() { return "{" }, activate() {}, drain() { return "{}" } }',
  'globalThis.__perdure = { manifest() { return JSON.stringify({ workflows: {}, signals: 7 }) }, activate() {}, drain() { return "{}" } }',
  'globalThis.__perdure = { manifest() { for (;;); }, activate() {}, drain() { return "{}" } }',
  'globalThis.__perdure = { manifest() { return JSON.stringify({ workflows: ["echo"], signals: [], queries: [], updates: [], runtime: "x" }) }, activate() {}, drain() { return "nonsense" } }',
  'globalThis.__perdure = { manifest() { return JSON.stringify({ workflows: ["echo"], signals: [], queries: [], updates: [], runtime: "x" }) }, activate() {}, drain() { return JSON.stringify({ commands: [{ kind: "complete", seq: -1 }, { kind: "none" }, null, 7] }) } }',
  'globalThis.__perdure = { manifest() { return JSON.stringify({ workflows: ["echo"], signals: [], queries: [], updates: [], runtime: "x" }) }, activate() {}, drain() { return JSON.stringify({ commands: [{ kind: "scheduleActivity", seq: 1, name: 7, options: null }] }) } }',
  'globalThis.__perdure = { manifest() { return JSON.stringify({ workflows: ["echo"], signals: [], queries: [], updates: [], runtime: "x" }) }, activate() {}, drain() { return JSON.stringify({ commands: [{ kind: "startTimer", seq: "1", durationMs: 1e300 }, { kind: "openWait", seq: {}, wait: 3 }] }) } }',
  'const a = []; for (;;) a.push(new Uint8Array(65536))', '('.repeat(100_000), `/*${'x'.repeat(9 * 1024 * 1024)}*/`, 'import "node:fs"', 'export const a = 1', '\u2028', '#!/usr/bin/env node', '\ud800',
];

const sourceMap = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.json({ maxDepth: 2 }),
  fc.record({ version: fc.constantFrom(3, 2, '3'), sources: fc.array(fc.string(), { maxLength: 3 }), names: fc.constant([]), mappings: fc.string({ maxLength: 200 }), sourcesContent: fc.constantFrom(null, [], [null, 'x']) }).map((map) => JSON.stringify(map)),
  fc.constantFrom('{"version":3,"sources":["../../../../etc/passwd"],"names":[],"mappings":"AAAA;AAAA;AAAA"}', '{"version":3,"sections":[]}', `{"version":3,"sources":[],"names":[],"mappings":"${';'.repeat(500_000)}"}`),
);

const mutatedText = (text: string): fc.Arbitrary<string> =>
  fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), gone: fc.nat(40), put: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('0', 'null', '}', '(', '=', 'for(;;);', 'throw 1;', 'commands', 'seq')) }), { minLength: 1, maxLength: 3 })
    .map((edits) => edits.reduce((sum, { at, gone, put }) => sum.slice(0, Math.floor(at * sum.length)) + put + sum.slice(Math.floor(at * sum.length) + gone), text));
