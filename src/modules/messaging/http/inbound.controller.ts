import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { decodeCursor, nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { AssignArrival } from '../application/assign-arrival.js';
import type { Arrival } from '../domain/inbound.js';

/** Messages from phones to numbers that nobody owned when they came, for operators. */
@Controller('v1/operator/unassigned-messages')
@OperatorOnly()
export class InboundController {
  constructor(private readonly arrivals: AssignArrival) {}

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const after = query.cursor === undefined ? null : positionOf(decodeCursor(query.cursor, 1));
    const rows = await this.arrivals.list(after, query.limit + 1);
    return nativePage(rows, query.limit, present, (row) => [sidOf('SM', row.id)]);
  }

  /** Looks again whose it is: it becomes a message of the account that owns the number by now. */
  @Post(':sid/retry')
  @HttpCode(200)
  async retry(@Param('sid') sid: string) {
    const id = parseSid('SM', sid);
    if (!id) throw new Failure('not_found');
    const { accountId } = await this.arrivals.retry(id);
    return { sid: sidOf('SM', id), account_sid: sidOf('AC', accountId) };
  }
}

function positionOf([sid]: readonly (string | number)[]): string {
  const id = typeof sid === 'string' ? parseSid('SM', sid) : null;
  if (id) return id;
  throw new Failure('invalid_parameter', { field: 'cursor', detail: "'cursor' is not one that an earlier page gave" });
}

function present({ id, carrier, from, to, segments, receivedAt }: Arrival) {
  const received_at = receivedAt.toISOString();
  return { sid: sidOf('SM', id), carrier, from, to, num_segments: segments, received_at };
}
