import { type Rule, showFinding, workspaceOf } from '../workspace.js';

/** What a rule says of a small made-up workspace. */
export const findingsOf = (rule: Rule, texts: Readonly<Record<string, string>>): string[] => rule.check(workspaceOf(texts)).map(showFinding);

/** A package that every rule accepts, to be spoilt in one place. */
export const soundPackage = (folder: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, string> => {
  const name = `@perdure/${folder.replace(/^.*\//, '')}`;
  const manifest = { name, exports: { '.': { '@perdure/source': './src/index.ts', default: './dist/index.js' } }, nx: { tags: ['scope:sample', 'type:util', 'runtime:any'] }, ...changes };
  return {
    [`${folder}/package.json`]: JSON.stringify(manifest),
    [`${folder}/tsconfig.json`]: '{ "references": [] }',
    [`${folder}/README.md`]: `# ${name}\n\nA package made up for a rule's spec, with as many words as a README should have.\n`,
    [`${folder}/src/index.ts`]: "export { a } from './a.js';\n",
    [`${folder}/src/a.ts`]: 'export const a = 1;\n',
  };
};
