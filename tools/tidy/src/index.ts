export { readWorkspace } from './read-workspace.js';
export { RULES } from './rules.js';
export { type Finding, type Rule, showFinding, type Workspace, workspaceOf } from './workspace.js';
