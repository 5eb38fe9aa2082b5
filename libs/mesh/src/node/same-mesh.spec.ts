import { beforeEach, describe, expect, it } from '@jest/globals';
import { requireSameMesh, type Agree } from './same-mesh.js';

const counts = { history: 4, scheduler: 2, correlation: 2, compensation: 1 };

describe('requireSameMesh', () => {
  const noted = new Map<string, string>();
  const agree: Agree = async (said) => {
    for (const [name, value] of Object.entries(said)) if (!noted.has(name)) noted.set(name, value);
    return noted;
  };
  beforeEach(async () => {
    noted.clear();
    await requireSameMesh({ prefix: 'perdure', counts }, agree);
  });

  it('takes who says the same', () => expect(requireSameMesh({ prefix: 'perdure', counts }, agree)).resolves.toBeUndefined());

  it('refuses another mesh, by both names', () =>
    expect(requireSameMesh({ prefix: 'other', counts }, agree)).rejects.toMatchObject({ code: 'invalid-request', message: 'environment: PERDURE_PREFIX: the tables in PERDURE_POSTGRES are of the mesh "perdure"; "other" needs a database of its own.' }));

  it('refuses another number of slices, by service', () =>
    expect(requireSameMesh({ prefix: 'perdure', counts: { ...counts, scheduler: 3 } }, agree)).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('PERDURE_SLICES: scheduler has 2 in this mesh') }));
});
