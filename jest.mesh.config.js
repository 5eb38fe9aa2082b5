import base from './jest.config.js';

/** The specs that need real servers, which `npm run test:mesh` starts. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/{apps,libs,tools}/**/*.mesh.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testTimeout: 180_000,
};
