import { describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../schema/migrations.js';
import { homeRegionOf, multiRegionStatements } from './multi-region-statements.js';
import { tableLocalities } from './table-localities.js';

describe('multiRegionStatements', () => {
  it('leave out no table that there is', () => {
    const made = MIGRATIONS.flatMap(({ statements }) => statements).filter((text) => text.startsWith('create table')).length;
    const localities = tableLocalities(MIGRATIONS);
    expect(localities.size).toBe(made + 1);
    expect([...localities].filter(([, locality]) => locality === 'global').map(([name]) => name).sort()).toEqual(['agreed', 'bundle_defaults', 'bundles', 'schema_versions']);
    const statements = multiRegionStatements('perdure', { regions: ['a', 'b', 'c'], survive: 'region' });
    for (const [table] of localities) expect(statements.filter((text) => text.startsWith(`alter table ${table} set locality`))).toHaveLength(1);
  });

  it.each<[string, readonly string[], 'zone' | 'region']>([
    ['a region that is no name', ['eu"; drop'], 'zone'],
    ['no region', [], 'zone'],
    ['a region twice', ['a', 'a', 'b'], 'region'],
    ['two regions, one of which may be lost', ['a', 'b'], 'region'],
  ])('refuse %s', (_what, regions, survive) => {
    expect(() => multiRegionStatements('perdure', { regions, survive })).toThrow(TypeError);
  });

  it('put slices into the regions in turn, as SQL does', () => {
    const regions = ['a', 'b', 'c'];
    expect((['history/0', 'history/1', 'scheduler/2', 'history/3', 'history/10'] as const).map((slice) => homeRegionOf(slice, regions))).toEqual(['a', 'b', 'c', 'a', 'b']);
  });
});
