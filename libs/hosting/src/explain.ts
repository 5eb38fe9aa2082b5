/** What a server that cannot start, or go on, tells the person who started it: one line, which says what to do where that is known. */
export const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown };
  return code === 'EADDRINUSE' ? `${address}:${port} is taken: stop what listens there, or give another PERDURE_PORT.` : error.message;
};
