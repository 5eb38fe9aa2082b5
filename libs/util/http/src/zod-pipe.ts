import type { PipeTransform } from '@nestjs/common';
import { PerdureError } from '@perdure/contract';
import type { z } from 'zod';

/** Checks `value` and names every fault by its path. */
export const check = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
  const detail = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  throw new PerdureError('invalid-request', detail, { errors });
};

/** For `@Body(zod(schema))`, `@Query(zod(schema))` and `@Param(zod(schema))`. An absent body counts as `{}`. */
export const zod = <S extends z.ZodType>(schema: S): PipeTransform<unknown, z.output<S>> => ({ transform: (value) => check(schema, value ?? {}) });
