import type { CancelTimer, Clock } from '@perdure/clock';
import { toPerdureError, type PerdureError } from '@perdure/contract';
import { backoffMs, isLogMismatch, placeSlices, type Membership, type MeshNode, type OwnerEvents, type SliceMachine, type SliceName, type SliceOwner } from '@perdure/delivery';
import type { Logger } from 'pino';
import { MESH_LIMITS } from '../mesh-limits.js';

export interface SliceHostOptions<Rows, M extends SliceMachine<Rows>> {
  readonly self: MeshNode;
  readonly slices: readonly SliceName[];
  readonly membership: Membership;
  readonly open: (slice: SliceName, events: OwnerEvents) => Promise<SliceOwner<Rows, M>>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

/** One slice, as this node sees it. */
interface Held<Rows, M extends SliceMachine<Rows>> {
  owner?: SliceOwner<Rows, M>;
  openedAtMs: number;
  isOpening: boolean;
  /** The alarm that opens it. */
  cancel?: CancelTimer | undefined;
  failures: number;
  /** Why it is not to be opened: an operator must look. */
  stopped?: string;
}

/**
 * The slices of a service that this node owns.
 *
 * 1. Placement says who should own what; it is a hint, computed by each node for itself from the list of nodes. Who may commit, the
 *    epoch alone decides (I3): nodes that disagree for a while take slices from each other, with growing pauses, and harm nothing.
 * 2. Slices are taken over few at a time and with jitter, and let go at once when they are another's; a little later when this node is not on
 *    the list at all.
 */
export class SliceHost<Rows, M extends SliceMachine<Rows>> {
  readonly #options: SliceHostOptions<Rows, M>;
  readonly #held = new Map<SliceName, Held<Rows, M>>();
  #placement: ReadonlyMap<SliceName, MeshNode> = new Map();
  #waiting: SliceName[] = [];
  #openings = 0;
  #closing: Promise<void>[] = [];
  #isLeaving = false;
  /** It is not on the list. */
  #absence: { readonly untilMs: number; readonly cancel: CancelTimer } | undefined;
  #unsubscribe: () => void = () => undefined;

  constructor(options: SliceHostOptions<Rows, M>) {
    this.#options = options;
    for (const slice of options.slices) this.#held.set(slice, { openedAtMs: 0, isOpening: false, failures: 0 });
  }

  start(): void {
    this.#unsubscribe = this.#options.membership.onChange(() => this.#reconcile());
    this.#reconcile();
  }

  /** It believes so; another may have taken it since. */
  owner(slice: SliceName): SliceOwner<Rows, M> | undefined {
    const owner = this.#held.get(slice)?.owner;
    return owner && !owner.isDown ? owner : undefined;
  }

  get owners(): readonly SliceOwner<Rows, M>[] {
    return this.#options.slices.flatMap((slice) => this.owner(slice) ?? []);
  }

  /** Who should own the slice. */
  nodeOf(slice: SliceName): MeshNode | undefined {
    return this.#placement.get(slice);
  }

  /** What it should own and does not, with the reason where there is one. */
  get missing(): readonly { readonly slice: SliceName; readonly why?: string }[] {
    return this.#options.slices.flatMap((slice) => {
      if (!this.#isMine(slice) || this.owner(slice)) return [];
      const why = this.#held.get(slice)?.stopped;
      return [{ slice, ...(why === undefined ? {} : { why }) }];
    });
  }

  /** Lets go of everything; what is in hand is finished. */
  async stop(): Promise<void> {
    this.#isLeaving = true;
    this.#unsubscribe();
    this.#reconcile();
    await Promise.all(this.#closing);
  }

  #isMine(slice: SliceName): boolean {
    return !this.#isLeaving && this.#placement.get(slice)?.id === this.#options.self.id;
  }

  #reconcile(): void {
    const { slices, membership, self } = this.#options;
    const nodes = membership.nodes(self.service);
    if (this.#waitsForItself(nodes)) return;
    this.#placement = placeSlices(slices, nodes);
    for (const slice of slices) {
      const held = this.#held.get(slice)!;
      if (this.#isMine(slice)) this.#openLater(slice);
      else {
        held.cancel?.();
        held.cancel = undefined;
        held.failures = 0;
        this.#release(slice);
      }
    }
  }

  /** A list without this node says that it has lost its place; or that the list was lost, and is being written anew. Meanwhile all stays. */
  #waitsForItself(nodes: readonly MeshNode[]): boolean {
    const { clock, self } = this.#options;
    if (this.#isLeaving || nodes.some(({ id }) => id === self.id)) {
      this.#absence?.cancel();
      this.#absence = undefined;
      return false;
    }
    this.#absence ??= { untilMs: clock.now() + MESH_LIMITS.absenceGraceMs, cancel: clock.at(clock.now() + MESH_LIMITS.absenceGraceMs, () => this.#reconcile()) };
    return clock.now() < this.#absence.untilMs;
  }

  #openLater(slice: SliceName): void {
    const { clock, random } = this.#options;
    const held = this.#held.get(slice)!;
    // What it lost while it was not on the list is another's now.
    if (this.#absence || this.owner(slice) || held.isOpening || held.cancel || held.stopped !== undefined) return;
    const { takeOverJitterMs, reopenAfterMs, reopenAfterMsMax } = MESH_LIMITS;
    const pauseMs = held.failures === 0 ? takeOverJitterMs * random() : backoffMs(held.failures - 1, { firstMs: reopenAfterMs, maxMs: reopenAfterMsMax, random });
    held.cancel = clock.at(clock.now() + pauseMs, () => {
      held.cancel = undefined;
      held.isOpening = true;
      this.#waiting.push(slice);
      this.#openNext();
    });
  }

  #openNext(): void {
    while (this.#openings < MESH_LIMITS.openingsMax) {
      const slice = this.#waiting.shift();
      if (slice === undefined) return;
      this.#openings += 1;
      void this.#open(slice).finally(() => {
        this.#openings -= 1;
        this.#openNext();
      });
    }
  }

  async #open(slice: SliceName): Promise<void> {
    const { clock, logger } = this.#options;
    const held = this.#held.get(slice)!;
    try {
      if (this.#isMine(slice) && !this.#absence) {
        held.owner = await this.#options.open(slice, this.#events());
        held.openedAtMs = clock.now();
        logger.info({ slice, epoch: held.owner.epoch }, 'owns the slice');
      }
    } catch (thrown) {
      this.#didNotOpen(slice, toPerdureError(thrown));
    }
    held.isOpening = false;
    // It may have become another's meanwhile, or been lost again.
    if (!this.#isMine(slice)) this.#release(slice);
    else this.#openLater(slice);
  }

  #didNotOpen(slice: SliceName, error: PerdureError): void {
    const held = this.#held.get(slice)!;
    held.failures += 1;
    if (!isLogMismatch(error)) return this.#options.logger.warn({ slice, error: error.message }, 'cannot open the slice yet');
    held.stopped = error.message;
    this.#options.logger.error({ slice, error: error.message }, 'the slice is stopped');
  }

  #release(slice: SliceName): void {
    const held = this.#held.get(slice)!;
    const { owner } = held;
    if (!owner) return;
    delete held.owner;
    if (owner.isDown) return;
    const { logger } = this.#options;
    const closing = owner.close().then(
      () => logger.info({ slice }, 'lets the slice go'),
      (error: unknown) => logger.warn({ slice, error: String(error) }, 'the slice was not let go; its next owner will be careful'),
    );
    this.#closing.push(closing);
    void closing.then(() => {
      this.#closing = this.#closing.filter((each) => each !== closing);
    });
  }

  #events(): OwnerEvents {
    const { logger, clock } = this.#options;
    return {
      steppedDown: (slice, error) => {
        if (error.code === 'draining') return;
        const held = this.#held.get(slice)!;
        held.failures = clock.now() - held.openedAtMs > MESH_LIMITS.steadyAfterMs ? 1 : held.failures + 1;
        delete held.owner;
        if (isLogMismatch(error)) held.stopped = error.message;
        // A refused commit of a stale owner says so here, by name.
        logger.warn({ slice, error: error.message, cause: error.cause instanceof Error ? error.cause.message : undefined }, 'steps down from the slice');
        if (this.#isMine(slice)) this.#openLater(slice);
      },
      paused: (slice, error) => logger.warn({ slice, error: error.message }, 'a turn came to nothing; it is tried again'),
      takenBack: (slice, error) => logger.warn({ slice, error: error.message }, 'a batch was taken back'),
      refused: (slice, work, error) => logger.error({ slice, kind: work.kind, ...(work.kind === 'input' ? { tenant: work.input.tenant, workflowId: work.input.workflowId, inputId: work.input.id } : {}), error: error.stack }, 'a work was refused'),
      notAppended: (slice, error) => logger.warn({ slice, error: error.message }, 'a message was not appended; it will be sent again'),
    };
  }
}
