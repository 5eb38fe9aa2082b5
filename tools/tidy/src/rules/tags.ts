import type { Rule } from '../workspace.js';

const AXES: Readonly<Record<string, RegExp>> = {
  scope: /^[a-z][a-z-]*$/,
  type: /^(app|feature|domain|adapter|engine|contract|sdk|util|testing|tool)$/,
  runtime: /^(node|any|sandbox)$/,
};

/** Lint has no rule for a package without tags, and refuses it only once something imports it; this names it at once. */
export const tags: Rule = {
  name: 'tags',
  check: ({ packages }) =>
    packages.flatMap(({ folder, manifest }) => {
      const given = manifest.nx?.tags ?? [];
      const file = `${folder}/package.json`;
      return Object.entries(AXES).flatMap(([axis, known]) => {
        const values = given.filter((tag) => tag.startsWith(`${axis}:`)).map((tag) => tag.slice(axis.length + 1));
        if (values.length !== 1) return [{ file, why: `${values.length} tags on the axis ${axis}, should be 1` }];
        return values.filter((value) => !known.test(value)).map((value) => ({ file, why: `unknown tag ${axis}:${value}` }));
      });
    }),
};
