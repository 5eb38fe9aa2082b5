import type { Json } from '@perdure/contract';
import type { Random } from './random.js';

/** An activity's input: how often it fails before it does what it should, and whether it fails for good then. */
export interface Act {
  readonly id: string;
  readonly fails: number;
  readonly isFatal?: boolean;
  readonly how?: How;
}

/**
 * - `beats`: takes long and says so by heartbeats; falls silent now and then
 * - `later`: its worker has done with it; somebody completes it from outside, or forgets to
 * - `bounded`: has few attempts of little time each
 * - `urgent`: must have closed within a time, whatever the attempts
 */
export type How = 'beats' | 'later' | 'bounded' | 'urgent';

export const HEARTBEAT_TIMEOUT_MS = 3_000;

/** Each is a world of its own: what one does is never seen by the other. They name their workflows and events alike. */
export const TENANTS = ['t', 'u'] as const;
export type Tenant = (typeof TENANTS)[number];

/** What a workflow does, as data: one generic workflow interprets it. */
export type Step =
  | { readonly do: 'activity'; readonly act: Act }
  | { readonly do: 'group'; readonly acts: readonly Act[] }
  /** `isDeadly`: the code kills its process when it wakes. */
  | { readonly do: 'sleep'; readonly ms: number; readonly isDeadly?: boolean }
  | { readonly do: 'signal'; readonly timeoutMs?: number }
  | { readonly do: 'event'; readonly k: string; readonly timeoutMs?: number }
  | { readonly do: 'child'; readonly workflowId: string; readonly steps: readonly Step[] }
  | { readonly do: 'saga'; readonly books: readonly Act[]; readonly undoes: boolean }
  | { readonly do: 'tell'; readonly workflowId: string }
  | { readonly do: 'continue' };

/** What a client does with the run, `afterMs` after its start was decided. */
export interface Operation {
  readonly afterMs: number;
  readonly id: string;
  readonly kind: 'signal' | 'note' | 'unknown' | 'heavy' | 'deadly' | 'update' | 'cancel' | 'terminate' | 'suspend' | 'query';
}

export interface Program {
  readonly tenant: Tenant;
  readonly workflowId: string;
  readonly steps: readonly Step[];
  readonly operations: readonly Operation[];
  /** Events to publish: key, and how many of it. */
  readonly events: readonly { readonly id: string; readonly k: string; readonly afterMs: number }[];
}

const KEYS = ['red', 'blue'];
const DEADLY_SLEEP_P = 0.03;

/** Its client or its code does what harms it. */
export const isHarmed = ({ steps, operations }: Program): boolean => operations.some(({ kind }) => kind === 'heavy' || kind === 'deadly') || steps.some((step) => step.do === 'sleep' && step.isDeadly);

/** Programs of one seed, of one tenant or of two. */
export function drawPrograms(random: Random): Program[] {
  const count = random.int(1, 5);
  const others = count > 1 && random.chance(0.4) ? random.int(1, count - 1) : 0;
  return [...drawFor(random, 't', count - others), ...(others > 0 ? drawFor(random, 'u', others) : [])];
}

/** Signals and events are enough for all that wait without a timeout, so that everything can come to an end. */
function drawFor(random: Random, tenant: Tenant, count: number): Program[] {
  const shared = new Map<string, number>();
  const ids = Array.from({ length: count }, (_, index) => `w${index}`);
  const programs = ids.map((workflowId) => drawProgram(random, { tenant, workflowId, ids, shared }));
  const extra = [...shared].flatMap(([k, waits]) => Array.from({ length: waits + 1 }, (_, index) => ({ id: `${k}-${index}`, k, afterMs: random.int(0, 30_000) })));
  return programs.map((program, index) => (index === 0 ? { ...program, events: [...program.events, ...extra] } : program));
}

interface Drawing {
  readonly tenant: Tenant;
  readonly workflowId: string;
  readonly ids: readonly string[];
  /** How many waits there are for each key that several runs wait for. */
  readonly shared: Map<string, number>;
}

function drawProgram(random: Random, drawing: Drawing): Program {
  const steps = drawSteps(random, drawing, { length: random.int(1, 6), isChild: false });
  const all = steps.flatMap((step) => (step.do === 'child' ? [step, ...step.steps] : [step]));
  const signals = steps.filter((step) => step.do === 'signal').length;
  const own = all.filter((step) => step.do === 'event' && !KEYS.includes(step.k)) as Extract<Step, { do: 'event' }>[];
  const events = own.map(({ k }) => ({ id: `${k}-event`, k, afterMs: random.int(0, 25_000) }));
  return { tenant: drawing.tenant, workflowId: drawing.workflowId, steps, operations: drawOperations(random, markOf(drawing), signals), events };
}

function drawSteps(random: Random, drawing: Drawing, { length, isChild }: { readonly length: number; readonly isChild: boolean }): Step[] {
  const steps: Step[] = [];
  const prefix = `${drawing.workflowId}${isChild ? 'c' : ''}`;
  const timeout = (): { readonly timeoutMs?: number } => (isChild || random.chance(0.5) ? { timeoutMs: random.int(10, 20_000) } : {});
  for (let at = 0; at < length; at++) {
    const id = `${prefix}-${at}`;
    const actId = `${drawing.tenant}:${id}`;
    const kind = random.pick(isChild ? (['activity', 'sleep', 'event', 'saga'] as const) : (['activity', 'activity', 'group', 'sleep', 'signal', 'event', 'event', 'child', 'saga', 'tell', 'continue'] as const));
    if (kind === 'activity') steps.push({ do: kind, act: drawAct(random, actId, { mayTimeOut: true }) });
    else if (kind === 'group') steps.push({ do: kind, acts: Array.from({ length: random.int(2, 4) }, (_, index) => drawAct(random, `${actId}.${index}`, { mayTimeOut: true })) });
    else if (kind === 'sleep') steps.push({ do: kind, ms: random.int(1, 20_000), ...(!isChild && random.chance(DEADLY_SLEEP_P) ? { isDeadly: true } : {}) });
    else if (kind === 'signal') steps.push({ do: kind, ...timeout() });
    else if (kind === 'event') {
      const k = random.chance(0.5) ? random.pick(KEYS) : id;
      if (KEYS.includes(k)) drawing.shared.set(k, (drawing.shared.get(k) ?? 0) + 1);
      steps.push({ do: kind, k, ...timeout() });
    } else if (kind === 'child') steps.push({ do: kind, workflowId: `${id}-child`, steps: drawSteps(random, { ...drawing, workflowId: id }, { length: random.int(1, 3), isChild: true }) });
    else if (kind === 'saga') steps.push({ do: kind, books: Array.from({ length: random.int(1, 3) }, (_, index) => drawAct(random, `${actId}.${index}`, { mayTimeOut: false })), undoes: random.chance(0.5) });
    else if (kind === 'tell') steps.push({ do: kind, workflowId: random.pick(drawing.ids) });
    else if (!steps.some((step) => step.do === 'continue')) steps.push({ do: 'continue' });
  }
  return steps;
}

/** Stands in all that a tenant's programs bring, and in nothing that another's do. */
const markOf = ({ tenant, workflowId }: Drawing): string => `${tenant}:${workflowId}`;

function drawAct(random: Random, id: string, { mayTimeOut }: { readonly mayTimeOut: boolean }): Act {
  const how = random.chance(0.25) ? random.pick<How>(mayTimeOut ? ['beats', 'later', 'bounded', 'urgent'] : ['beats', 'later']) : undefined;
  return { id, fails: random.chance(0.3) ? random.int(1, 2) : 0, ...(random.chance(0.15) ? { isFatal: true } : {}), ...(how ? { how } : {}) };
}

function drawOperations(random: Random, mark: string, signals: number): Operation[] {
  const operations: Operation[] = [];
  const add = (kind: Operation['kind'], afterMs = random.int(0, 25_000)): void => void operations.push({ afterMs, id: `${mark}-${kind}-${operations.length}`, kind });
  for (let index = 0; index < signals + random.int(0, 1); index++) add('signal');
  for (let index = random.int(0, 2); index > 0; index--) add(random.pick(['note', 'note', 'update', 'update', 'query', 'unknown']));
  if (random.chance(0.12)) add('suspend');
  if (random.chance(0.06)) add('heavy');
  if (random.chance(0.06)) add('deadly');
  if (random.chance(0.12)) add(random.chance(0.5) ? 'cancel' : 'terminate');
  return operations;
}

/** What a run's result may be: for each step, the entry of its log. `undefined`: whatever is there was decided by a race, and others check it. */
export type Expected = readonly (Json | undefined)[];

/** The whole truth about a program: pure, and unlike the interpreter it knows of no inputs. */
export function expectedOf(steps: readonly Step[]): Expected {
  return steps.filter((step) => step.do !== 'continue').map((step): Json | undefined => {
    switch (step.do) {
      case 'sleep':
        return 'slept';
      case 'tell':
        return 'told';
      case 'saga': {
        const failed = step.books.findIndex(({ isFatal }) => isFatal);
        const booked = step.books.slice(0, failed < 0 ? undefined : failed + 1).map(endOf);
        return [booked, failed >= 0 || step.undoes ? 'undone' : 'kept'];
      }
      default:
        return undefined;
    }
  });
}

/** Whether it may have closed so: attempts and time are bounded for some. */
export function isEndOf(act: Act, end: Json | undefined): boolean {
  if (end === endOf(act)) return true;
  if (typeof end !== 'string' || (act.how !== 'bounded' && act.how !== 'urgent')) return false;
  return end.startsWith('timedOut ') || (act.fails > 0 && end === `failed ${notYetOf(act)}`);
}

export const notYetOf = ({ id }: Act): string => `not yet ${id}`;
export const endOf = ({ id, isFatal }: Act): string => (isFatal ? `failed ${id}` : `done ${id}`);
