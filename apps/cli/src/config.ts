/** What the environment says; command-line options come first. */
const env = process.env;

/** For child processes: all of it. */
export const inherited = env;

export const DEFAULT_URL = 'http://localhost:8080';

export const environment = {
  url: env['PERDURE_URL'] ?? DEFAULT_URL,
  tenant: env['PERDURE_TENANT'],
  apiKey: env['PERDURE_API_KEY'],
} as const;

/** What `perdure dev` tells its worker process. */
export const devWorker = {
  ...environment,
  activities: JSON.parse(env['PERDURE_ACTIVITIES'] ?? '[]') as readonly string[],
} as const;
