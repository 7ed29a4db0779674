import { createHash } from 'node:crypto';
import { Controller, Get, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public } from '../../platform/http/decorators.js';
import { Failure } from '../../shared/failure.js';
import { documentedErrors } from './docs/error-catalogue.js';
import { errorPage } from './docs/error-page.js';
import { STYLE } from './docs/html.js';
import { referencePage } from './docs/reference-page.js';
import { ReferenceDocument } from './reference-document.js';

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const codeParams = z.object({ code: z.string().regex(/^\d{5}$/, 'must be a number of five digits') });

/** The reference of the API, for machines and for people. The pages need no script and nothing from elsewhere. */
@Public()
@Controller()
export class DocsController {
  private page: string | null = null;

  constructor(private readonly reference: ReferenceDocument) {}

  @Get('openapi.json')
  openapi() {
    return this.reference.get();
  }

  @Get('docs')
  async docs(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const document = await this.reference.get();
    asPage(reply);
    this.page ??= referencePage(document, documentedErrors(), document.servers?.[0]?.url ?? '');
    return this.page;
  }

  @Get('docs/errors/:code')
  error(
    @Param({ schema: codeParams }) { code }: z.infer<typeof codeParams>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    const entries = documentedErrors().filter((entry) => String(entry.code) === code);
    if (entries.length === 0) throw new Failure('not_found', { detail: `There is no error with the code ${code}` });
    asPage(reply);
    return errorPage(code, entries);
  }
}

function asPage(reply: FastifyReply): void {
  reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE_POLICY });
}
