import { cockroachSuites } from './cockroach-suites.js';

cockroachSuites('PostgreSQL', () => process.env['PERDURE_TEST_POSTGRES']);
