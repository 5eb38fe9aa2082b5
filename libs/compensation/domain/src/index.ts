export { Compensator } from './compensator.js';
export type { UndoClosed } from './compensator.js';
export { AuditLog, SagaStore } from './ports.js';
export type { AuditPage } from './ports.js';
export type { AuditEntry, CompensationChange, RollbackRow, StepDone } from './rows.js';
export { CompensationSlice } from './compensation-slice.js';
