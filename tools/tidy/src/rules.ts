import { bannedNames } from './rules/banned-names.js';
import { bannedWords } from './rules/banned-words.js';
import { deadFiles } from './rules/dead-files.js';
import { decisions } from './rules/decisions.js';
import { dependencies } from './rules/dependencies.js';
import { fileLength } from './rules/file-length.js';
import { functionLength } from './rules/function-length.js';
import { innerBarrels } from './rules/inner-barrels.js';
import { machinePaths } from './rules/machine-paths.js';
import { readmes } from './rules/readmes.js';
import { references } from './rules/references.js';
import { runtime } from './rules/runtime.js';
import { tags } from './rules/tags.js';
import type { Rule } from './workspace.js';

export const RULES: readonly Rule[] = [bannedNames, bannedWords, deadFiles, decisions, dependencies, fileLength, functionLength, innerBarrels, machinePaths, readmes, references, runtime, tags];
