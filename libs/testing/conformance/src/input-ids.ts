import { SliceMachine, type Outgoing, type SliceWork } from '@perdure/delivery';

/** Keeps the ids of the inputs that it took, in order; they are its rows. */
export class InputIds extends SliceMachine<readonly string[]> {
  readonly taken: string[] = [];
  #staged: string[] = [];

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    this.#staged = works.flatMap((work) => (work.kind === 'input' ? [work.input.id] : []));
    return [];
  }
  override async refuse(): Promise<readonly Outgoing[]> {
    return [];
  }
  override takeRows(): readonly string[] | undefined {
    return this.#staged.length > 0 ? this.#staged : undefined;
  }
  override committed(): void {
    this.taken.push(...this.#staged);
    this.#staged = [];
  }
  override async takeBack(): Promise<void> {
    this.#staged = [];
  }
  override linksOf(): object {
    return {};
  }
  override close(): void {}
}
