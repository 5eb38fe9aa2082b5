export { TaskDesk } from './task-desk.js';
export { TaskStore } from './task-store.js';
export { TimerStore } from './timer-store.js';
export type { AcceptedAttempt, SchedulerChange, TaskChange, TaskRow, TaskState, TimerChange, TimerRow } from './task-row.js';
export type { UndoClosing } from './undo-closing.js';
export { Scheduler } from './scheduler.js';
export type { SchedulerOptions, SchedulerStats } from './scheduler.js';
export { SCHEDULER_LIMITS } from './scheduler-limits.js';
export type { SchedulerLimits } from './scheduler-limits.js';
