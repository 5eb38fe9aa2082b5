/** Named limits of one slice (I9). Units last. */
export const SCHEDULER_LIMITS = {
  /** A worker session that is silent so long has crashed. */
  sessionTimeoutMs: 10_000,
  /** An attempt handed out must be listed by its worker within this time, else it goes back. */
  confirmTimeoutMs: 1_000,
  /** After opening, tasks that may be held by a worker wait so long for it to say so. */
  reopenGraceMs: 2_000,
  /** An alarm that sounds later than this was held up by the server itself: sessions get a fresh grace, overdue attempts `confirmTimeoutMs`. */
  lateAlarmMs: 100,
  /** A worker that ignores a cancel is told again after this time. */
  retellCancelMs: 5_000,
  /** Deadlines handled in one batch; the rest follow in the next. */
  dueMaxPerBatch: 1_000,
  /** Timers fired in one batch, at most: see `FiringPace`. */
  timersMaxPerBatch: 32,
  answersMaxPerBatch: 4_096,
  /** Answers that wait for a batch; beyond it workers are told `overloaded`. */
  answersWaitingMax: 100_000,
  /** Tokens whose answer was recorded lately, so that a repeated answer gets the same receipt. */
  recentAnswersMax: 20_000,
  sessionsMax: 10_000,
  /** So many crashes in a row make a task poisoned. */
  crashesToPoison: 3,
  /** Delays of a poisoned task; the last one repeats. */
  poisonDelaysMs: [60_000, 300_000, 1_800_000],
  /** A task poisoned so long suspends its run. */
  poisonSuspendMs: 86_400_000,
} as const;

export type SchedulerLimits = { readonly [K in keyof typeof SCHEDULER_LIMITS]: (typeof SCHEDULER_LIMITS)[K] extends number ? number : readonly number[] };
