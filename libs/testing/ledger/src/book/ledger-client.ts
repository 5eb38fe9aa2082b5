import { setTimeout as pause } from 'node:timers/promises';
import type { LedgerAnswer, LedgerRecord } from './ledger-record.js';

const RETRY_MS = 50;

/** Tells the ledger, again and again until it has answered. */
export class LedgerClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async record(record: LedgerRecord): Promise<LedgerAnswer> {
    const body = JSON.stringify(record);
    for (;;) {
      const answer = await this.#post(body);
      if (answer !== undefined) return answer;
      await pause(RETRY_MS);
    }
  }

  async #post(body: string): Promise<LedgerAnswer | undefined> {
    try {
      const response = await fetch(this.#url, { method: 'POST', body });
      if (response.ok) return (await response.text()) as LedgerAnswer;
    } catch {
      // It is being restarted: ask again.
    }
    return undefined;
  }
}
