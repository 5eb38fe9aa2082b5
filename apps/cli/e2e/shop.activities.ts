import { RetryableError } from '@perdure/sdk/activity';

export async function reserve(item: string): Promise<string> {
  if (item === 'unicorn') throw new RetryableError('sold out', { retryAfter: '1h' });
  return `hold-${item}`;
}

export async function release(): Promise<void> {}
