import { hash } from 'node:crypto';
import { PerdureError, type AnswerReceipt, type TaskAnswer } from '@perdure/contract';
import type { SchedulerLimits } from './scheduler-limits.js';

/** One call of `answer`, until its receipts are given. */
export interface AnswerCall {
  readonly tenant: string;
  readonly answers: readonly TaskAnswer[];
  readonly resolve: (receipts: AnswerReceipt[]) => void;
  readonly reject: (error: PerdureError) => void;
}

/** What the worker was told, or will be once its batch is durable. */
interface Settled {
  readonly call: AnswerCall;
  readonly receipts: AnswerReceipt[];
}

interface Recent {
  /** Who guesses another's token is told nothing of it. */
  readonly tenant: string;
  readonly content: string;
}

const contentOf = (answer: TaskAnswer): string => hash('sha256', JSON.stringify(answer), 'base64url').slice(0, 22);

/**
 * Answers on their way: waiting for a batch, in one, or durable.
 *
 * 1. A receipt is given only after the batch that handled its answer is committed.
 * 2. A recent token's answer is durable, or in a batch on its way; one that was taken back is not remembered.
 */
export class DeskMail {
  readonly #limits: SchedulerLimits;
  #arrived: AnswerCall[] = [];
  #waiting = 0;
  #staged: Settled[] = [];
  #sealed: Settled[] = [];
  #stagedTokens: string[] = [];
  #sealedTokens: string[] = [];
  readonly #recent = new Map<string, Recent>();

  constructor(limits: SchedulerLimits) {
    this.#limits = limits;
  }

  get hasArrived(): boolean {
    return this.#arrived.length > 0;
  }

  arrive(call: AnswerCall): void {
    if (this.#waiting + call.answers.length > this.#limits.answersWaitingMax) throw new PerdureError('overloaded', `${this.#waiting} answers wait, which is the limit.`);
    this.#waiting += call.answers.length;
    this.#arrived.push(call);
  }

  /** The next calls for this batch, in the order of arrival. */
  take(): AnswerCall[] {
    let answers = 0;
    let count = 0;
    while (count < this.#arrived.length && (count === 0 || answers + this.#arrived[count]!.answers.length <= this.#limits.answersMaxPerBatch)) answers += this.#arrived[count++]!.answers.length;
    this.#waiting -= answers;
    const taken = this.#arrived.slice(0, count);
    this.#arrived = this.#arrived.slice(count);
    return taken;
  }

  /** Invariant 1; a refusal changed nothing, so it waits for nothing. */
  settle(call: AnswerCall, receipts: AnswerReceipt[]): void {
    if (receipts.every(({ status }) => status === 'superseded')) call.resolve(receipts);
    else this.#staged.push({ call, receipts });
  }

  remember(tenant: string, answer: TaskAnswer): void {
    this.#recent.set(answer.token, { tenant, content: contentOf(answer) });
    this.#stagedTokens.push(answer.token);
  }

  isRecent(tenant: string, token: string): boolean {
    return this.#recent.get(token)?.tenant === tenant;
  }

  /** What a repetition of the recent answer is told, and who has another one for its token. */
  receiptOf(answer: TaskAnswer): AnswerReceipt['status'] {
    return answer.kind === 'accepted' || this.#recent.get(answer.token)?.content === contentOf(answer) ? 'recorded' : 'superseded';
  }

  seal(): void {
    this.#sealed = this.#sealed.concat(this.#staged);
    this.#sealedTokens = this.#sealedTokens.concat(this.#stagedTokens);
    this.#staged = [];
    this.#stagedTokens = [];
  }

  committed(): void {
    for (const { call, receipts } of this.#sealed) call.resolve(receipts);
    this.#sealed = [];
    this.#sealedTokens = [];
    // A Map keeps the order of insertion: the first is the oldest.
    for (const token of this.#recent.keys()) {
      if (this.#recent.size <= this.#limits.recentAnswersMax) break;
      this.#recent.delete(token);
    }
  }

  /** Invariant 2: what was in a batch is taken back; what only waits for one stays. */
  takeBack(): void {
    for (const token of [...this.#sealedTokens, ...this.#stagedTokens]) this.#recent.delete(token);
    const failed = [...this.#sealed, ...this.#staged];
    this.#sealed = [];
    this.#staged = [];
    this.#sealedTokens = [];
    this.#stagedTokens = [];
    for (const { call } of failed) call.reject(new PerdureError('unavailable', 'The answers could not be stored; send them again.'));
  }
}
