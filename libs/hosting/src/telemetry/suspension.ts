import type { RunKey, SuspendReason } from '@perdure/contract';

export interface SuspensionLine {
  readonly level: 'info' | 'warn';
  readonly fields: RunKey & { readonly reason: SuspendReason['kind']; readonly why?: string };
}

/** What the log says of a run that waits for an operator now: nobody else is told. Of an input that was set aside a line of its own has told already. */
export const suspensionLine = (run: RunKey, reason: SuspendReason): SuspensionLine | undefined => {
  if (reason.kind === 'refused') return undefined;
  const why = reason.kind === 'nondeterminism' ? reason.diff : reason.message;
  return { level: reason.kind === 'operator' ? 'info' : 'warn', fields: { ...run, reason: reason.kind, ...(why === undefined ? {} : { why }) } };
};

export const SUSPENDED = 'a run was suspended';
