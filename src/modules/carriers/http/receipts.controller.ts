import { Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public, ReadsBytes } from '../../../platform/http/decorators.js';
import { Failure } from '../../../shared/failure.js';
import { TakeReceipts } from '../application/take-receipts.js';

/** No receipt is longer, nor are the lists of them. */
const MAX_BODY_BYTES = 128 * 1024;
const FORM = 'application/x-www-form-urlencoded';

/** Where carriers over HTTP send their receipts. Public to the guard: each proves itself as its definition says. */
@Controller('v1/carriers')
@Public()
@ReadsBytes()
export class ReceiptsController {
  constructor(private readonly takeReceipts: TakeReceipts) {}

  /** A carrier's receipts, in its own form; 204 when they are durable. Anything else: it is to send them again. */
  @Post(':name/receipts')
  @HttpCode(204)
  async receive(@Param('name') name: string, @Req() request: FastifyRequest): Promise<void> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (body.length > MAX_BODY_BYTES) throw new Failure('payload_too_large');
    const isForm = (request.headers['content-type'] ?? '').toLowerCase().startsWith(FORM);
    await this.takeReceipts.take({ ...proofOf(name, request), isSigned: true, isForm, body });
  }

  /**
   * The same from a carrier that puts its receipt into the query, where it is read as a form's fields are. It proves itself by
   * a token or a header: no signature covers a query.
   */
  @Get(':name/receipts')
  @HttpCode(204)
  async receiveQuery(@Param('name') name: string, @Req() request: FastifyRequest): Promise<void> {
    const url = request.raw.url ?? '';
    const at = url.indexOf('?');
    const body = Buffer.from(at === -1 ? '' : url.slice(at + 1));
    await this.takeReceipts.take({ ...proofOf(name, request), isSigned: false, isForm: true, body });
  }
}

function proofOf(carrier: string, request: FastifyRequest) {
  const { token } = request.query as Record<string, unknown>;
  return {
    carrier,
    token: typeof token === 'string' ? token : null,
    header: (header: string) => {
      const value = request.headers[header];
      return typeof value === 'string' ? value : null;
    },
  };
}
