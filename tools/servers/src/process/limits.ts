/** How long a server may take. Generous: a loaded machine of two cores is no failure. */
export const SERVER_LIMITS = { startMsMax: 60_000, probeMsMax: 2_000, betweenProbesMs: 25, stopMsMax: 10_000 } as const;
