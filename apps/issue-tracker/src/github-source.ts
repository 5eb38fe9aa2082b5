const NUMBER = 'body.issue.number || body.pull_request.number || body.number';

/** A webhook source for the server's configuration file, as `webhooks.github`. */
export interface GithubSource {
  readonly tenant: string;
  readonly scheme: { readonly kind: 'github' };
  readonly secrets: readonly (string | { readonly env: string })[];
  /** One type for whatever happens to an issue or a pull request; a delivery about something else yields none, and is no event. */
  readonly type: string;
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * GitHub's deliveries as `follow` receives them.
 *
 * @example { "webhooks": { "github": githubSource('demo', { env: 'GITHUB_WEBHOOK_SECRET' }) } }
 */
export const githubSource = (tenant: string, secret: string | { readonly env: string }): GithubSource => ({
  tenant,
  scheme: { kind: 'github' },
  secrets: [secret],
  type: `(${NUMBER}) && 'github.activity'`,
  keys: { repository: 'body.repository.full_name', number: NUMBER, event: 'headers."x-github-event"', action: 'body.action' },
});
