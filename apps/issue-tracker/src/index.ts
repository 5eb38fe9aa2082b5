export type { Activity, Followed, follow, Following } from './follow.workflow.js';
export { githubSource } from './github-source.js';
export type { GithubSource } from './github-source.js';
