import { Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
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
  @ApiConsumes('application/json', FORM)
  @ApiBody({ schema: { description: 'As the definition of the carrier says' } })
  async receive(@Param('name') name: string, @Req() request: FastifyRequest): Promise<void> {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (body.length > MAX_BODY_BYTES) throw new Failure('payload_too_large');
    const { token } = request.query as Record<string, unknown>;
    await this.takeReceipts.take({
      carrier: name,
      token: typeof token === 'string' ? token : null,
      header: (header) => {
        const value = request.headers[header];
        return typeof value === 'string' ? value : null;
      },
      isForm: (request.headers['content-type'] ?? '').toLowerCase().startsWith(FORM),
      body,
    });
  }
}
