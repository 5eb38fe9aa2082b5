import { merged, ShapeIndex, shapeOf, type Entry } from './match-index.js';
import type { EventHead, WaitRow } from './rows.js';

export interface Buffered extends EventHead, Entry {
  /** A wait holds it. */
  offered: boolean;
}

interface Shape {
  readonly waits: ShapeIndex<WaitRow>;
  readonly events: ShapeIndex<Buffered>;
}

/** Beyond so many sets of key names per type, those that no wait uses are let go. They are kept so far because a run often waits anew. */
const SHAPES_KEPT_MAX = 16;

/**
 * The waits of one event type that are to be offered an event, and its events that are to be offered.
 * Waits that match on the same key names share a shape, and each shape finds by hash.
 */
export class EventTypeIndex {
  readonly #shapes = new Map<string, Shape>();
  readonly #events = new Map<number, Buffered>();

  get isEmpty(): boolean {
    if (this.#events.size > 0) return false;
    for (const { waits } of this.#shapes.values()) if (!waits.isEmpty) return false;
    return true;
  }

  addWait(row: WaitRow): void {
    this.#shapeFor(row).waits.add(row, row.wait.match);
  }

  removeWait(row: WaitRow): void {
    this.#shapes.get(nameOf(shapeOf(row.wait.match)))?.waits.remove(row, row.wait.match);
  }

  addEvent(event: Buffered): void {
    this.#events.set(event.arrival, event);
    for (const { events } of this.#shapes.values()) events.add(event, event.keys);
  }

  removeEvent(event: Buffered): void {
    if (!this.#events.delete(event.arrival)) return;
    for (const { events } of this.#shapes.values()) events.remove(event, event.keys);
  }

  /** Waits whose keys the event has, oldest first. */
  waitsFor(event: EventHead): Iterable<WaitRow> {
    const lists: (readonly WaitRow[])[] = [];
    for (const { waits } of this.#shapes.values()) {
      const found = waits.find(event.keys);
      if (found.length > 0) lists.push(found);
    }
    return lists.length === 1 ? lists[0]! : merged(lists);
  }

  /** Events that have the wait's keys, oldest first. */
  eventsFor(row: WaitRow): readonly Buffered[] {
    return this.#shapeFor(row).events.find(row.wait.match);
  }

  #shapeFor({ wait }: WaitRow): Shape {
    const names = shapeOf(wait.match);
    const name = nameOf(names);
    const known = this.#shapes.get(name);
    if (known) return known;
    const shape: Shape = { waits: new ShapeIndex(names), events: new ShapeIndex(names) };
    this.#dropUnused();
    this.#shapes.set(name, shape);
    for (const event of this.#events.values()) shape.events.add(event, event.keys);
    return shape;
  }

  #dropUnused(): void {
    if (this.#shapes.size < SHAPES_KEPT_MAX) return;
    for (const [name, { waits }] of this.#shapes) if (waits.isEmpty) this.#shapes.delete(name);
  }
}

const nameOf = (names: readonly string[]): string => JSON.stringify(names);
