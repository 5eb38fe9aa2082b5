export { TaskDesk } from './task-desk.js';
export { TaskStore } from './task-store.js';
export { TimerStore } from './timer-store.js';
export type { AcceptedAttempt, SchedulerChange, TaskChange, TaskRow, TaskState, TimerChange, TimerRow } from './task-row.js';
export type { UndoClosing } from './undo-closing.js';
