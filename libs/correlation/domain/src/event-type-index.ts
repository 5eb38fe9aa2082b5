import { ShapeIndex, shapeOf } from './match-index.js';
import type { EventHead, WaitRow } from './rows.js';

export interface Wait extends WaitRow {
  /** The event it has been offered and has not answered for. */
  offered?: number;
}

export interface Buffered extends EventHead {
  readonly order: number;
  offered: boolean;
}

interface Shape {
  readonly waits: ShapeIndex<Wait>;
  readonly events: ShapeIndex<Buffered>;
}

/** The waits and buffered events of one event type. Waits that match on the same key names share a shape, and each shape finds by hash. */
export class EventTypeIndex {
  readonly #shapes = new Map<string, Shape>();
  readonly #events = new Map<number, Buffered>();

  get isEmpty(): boolean {
    return this.#events.size === 0 && [...this.#shapes.values()].every(({ waits }) => waits.isEmpty);
  }

  addWait(wait: Wait): void {
    this.#shapeFor(wait).waits.add(wait, wait.wait.match);
  }

  removeWait(wait: Wait): void {
    this.#shapeFor(wait).waits.remove(wait, wait.wait.match);
  }

  addEvent(event: Buffered): void {
    this.#events.set(event.arrival, event);
    for (const { events } of this.#shapes.values()) events.add(event, event.keys);
  }

  removeEvent(event: Buffered): void {
    this.#events.delete(event.arrival);
    for (const { events } of this.#shapes.values()) events.remove(event, event.keys);
  }

  /** Waits whose keys the event has, oldest first. */
  waitsFor(event: EventHead): Wait[] {
    const found = [...this.#shapes.values()].flatMap(({ waits }) => waits.find(event.keys));
    return found.sort((a, b) => a.order - b.order);
  }

  /** Events that have the wait's keys, oldest first. */
  eventsFor(wait: Wait): readonly Buffered[] {
    return this.#shapeFor(wait).events.find(wait.wait.match);
  }

  #shapeFor({ wait }: Wait): Shape {
    const names = shapeOf(wait.match);
    const name = JSON.stringify(names);
    let shape = this.#shapes.get(name);
    if (!shape) {
      shape = { waits: new ShapeIndex(names), events: new ShapeIndex(names) };
      this.#shapes.set(name, shape);
      for (const event of this.#events.values()) shape.events.add(event, event.keys);
    }
    return shape;
  }
}
