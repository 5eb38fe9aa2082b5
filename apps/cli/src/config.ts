/** What the environment says; command-line options come first. */
/** For child processes: all of it. */
export const inherited = process.env;

export const environment = {
  url: process.env['PERDURE_URL'] ?? 'http://localhost:8080',
  tenant: process.env['PERDURE_TENANT'],
  apiKey: process.env['PERDURE_API_KEY'],
} as const;

/** What `perdure dev` tells its worker process. */
export const devWorker = {
  url: process.env['PERDURE_URL'] ?? 'http://localhost:8080',
  activities: JSON.parse(process.env['PERDURE_ACTIVITIES'] ?? '[]') as readonly string[],
} as const;
