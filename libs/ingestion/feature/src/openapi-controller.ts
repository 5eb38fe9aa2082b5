import { readFileSync } from 'node:fs';
import { Controller, Get } from '@nestjs/common';
import { parse } from 'yaml';

/** The document is kept as YAML, for people; programs get JSON. Both `src` and `dist` are four levels below the root. */
const DOCUMENT = new URL('../../../../contracts/openapi.yaml', import.meta.url);

export const readOpenApi = (): object => parse(readFileSync(DOCUMENT, 'utf8')) as object;

/** What the API is, for clients and tools. */
@Controller()
export class OpenApiController {
  readonly #document = readOpenApi();

  @Get('openapi.json')
  show(): object {
    return this.#document;
  }
}
