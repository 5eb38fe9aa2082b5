/** Where a real server is, as `npm run test:mesh` says it. A spec without its server is no spec. */
export function requiredAddress(variable: string, env: Readonly<Record<string, string | undefined>>): string {
  const address = env[variable];
  if (!address) throw new Error(`${variable} must say where the server is; npm run test:mesh starts one.`);
  return address;
}
