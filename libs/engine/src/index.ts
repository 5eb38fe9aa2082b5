export { resultOf } from './closing.js';
export { isCommand } from './command-shape.js';
export type { AcceptContext, Activate, Activation, ActivationResult, Decision, Drop, EngineHost, EngineLimits, RecordOnly, Redirect, Refuse, Settled, Settlement } from './decision.js';
export { Engine } from './engine.js';
export { checkStep, compareReplay, jobsAt, replayPlan } from './replay.js';
export type { Difference, ReplayStep } from './replay.js';
export type { PendingActivity, PendingChild, PendingTimer, PendingWait, RunState, UndoRecord } from './state.js';
