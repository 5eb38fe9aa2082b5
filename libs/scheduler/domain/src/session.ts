import type { PollRequest, PollResponse } from '@perdure/contract';
import type { Alarm } from './alarm-heap.js';
import type { Task } from './task.js';

/** A worker process as the slice knows it: by its polls. */
export class Session implements Alarm {
  readonly sort = 'session';
  readonly key: string;
  readonly tenant: string;
  readonly worker: string;
  readonly id: string;
  readonly held = new Set<Task>();
  /** Held attempts that were asked to stop. */
  readonly cancelling = new Set<Task>();
  /** Tokens of attempts that it held and that no longer count; told with the next response. */
  readonly superseded = new Set<string>();
  /** Handed out in the last response, not yet listed. */
  unconfirmed: Task[] = [];
  confirmByMs = Infinity;
  seenMs: number;
  polls = 0;
  poller: Poller | undefined;
  /** A newer session of the same worker exists, so its process has ended. */
  replaced = false;
  atMs = Infinity;
  heapIndex = -1;

  constructor({ key, tenant, seenMs }: { readonly key: string; readonly tenant: string; readonly seenMs: number }, { worker, session }: PollRequest) {
    this.key = key;
    this.tenant = tenant;
    this.worker = worker;
    this.id = session;
    this.seenMs = seenMs;
  }
}

/** An open poll. */
export class Poller implements Alarm {
  readonly sort = 'poller';
  readonly session: Session;
  /** Keys of the ready queues it waits at. */
  readonly queues: readonly string[];
  readonly names: ReadonlySet<string> | undefined;
  readonly slots: number;
  /** Ends when there is work, and takes none. */
  readonly peek: boolean;
  readonly respond: (response: PollResponse) => void;
  unlisten: (() => void) | undefined;
  atMs = Infinity;
  heapIndex = -1;

  constructor(session: Session, wants: Wants, respond: (response: PollResponse) => void) {
    this.session = session;
    this.queues = wants.queues;
    this.names = wants.names;
    this.slots = wants.slots;
    this.peek = wants.peek;
    this.respond = respond;
  }

  get key(): string {
    return this.session.key;
  }
}

export interface Wants {
  readonly queues: readonly string[];
  readonly names: ReadonlySet<string> | undefined;
  readonly slots: number;
  readonly peek: boolean;
}
