/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts'],
  // Mesh specs need real servers: jest.mesh.config.js.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.mesh\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' }],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'] },
  testEnvironment: 'node',
  reporters: ['default', '<rootDir>/tools/ci/silent-skips.mjs'],
  testEnvironmentOptions: { customExportConditions: ['@perdure/source', 'node', 'node-addons'] },
  // Generous: a loaded machine of two cores is no failure.
  testTimeout: 30_000,
  maxWorkers: 2,
  workerIdleMemoryLimit: '1GB',
};
