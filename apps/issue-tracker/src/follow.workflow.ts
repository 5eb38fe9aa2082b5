import { isErrorNamed, onQuery, receive, type Duration } from '@perdure/sdk/workflow';

/** What to follow, and for how long: it ends with whichever bound comes first. */
export interface Following {
  /** `owner/name`. */
  readonly repository: string;
  /** The number of the issue or pull request. */
  readonly number: number;
  /** Ends after so many events. Default: no bound. */
  readonly count?: number;
  /** Ends when nothing has come for so long. Default 30 days. */
  readonly quietFor?: Duration;
}

/** One delivery, as it was received. */
export interface Activity {
  readonly delivery: string;
  /** GitHub's name of the event: `issues`, `pull_request_review`. */
  readonly event: string;
  /** GitHub's `action`; absent for an event that has none. */
  readonly action?: string;
}

export interface Followed {
  readonly activities: readonly Activity[];
  /** Why it ended. */
  readonly ended: 'count' | 'quiet';
}

/** Follows one issue or pull request: whatever happens to it, in the order received. The query `activities` says what came so far. */
export async function follow({ repository, number, count = Infinity, quietFor = '30 days' }: Following): Promise<Followed> {
  const activities: Activity[] = [];
  onQuery('activities', () => activities);
  try {
    while (activities.length < count) {
      const { id, keys } = await receive.event('github.activity', { match: { repository, number }, timeout: quietFor });
      activities.push({ delivery: id, event: String(keys['event']), ...(keys['action'] === undefined ? {} : { action: String(keys['action']) }) });
    }
    return { activities, ended: 'count' };
  } catch (error) {
    if (!isErrorNamed(error, 'TimedOut')) throw error;
    return { activities, ended: 'quiet' };
  }
}
