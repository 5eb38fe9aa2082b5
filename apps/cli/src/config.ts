/** What the environment says; command-line options come first. */
export const environment = {
  url: process.env['PERDURE_URL'] ?? 'http://localhost:8080',
  tenant: process.env['PERDURE_TENANT'],
  apiKey: process.env['PERDURE_API_KEY'],
} as const;
