import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { decodeCursor, nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { Failure } from '../../../shared/failure.js';
import type { Principal } from '../../../shared/principal.js';
import { parseSid, sidOf } from '../../../shared/sid.js';
import { type DeliveryView, ListDeliveries } from '../application/list-deliveries.js';
import { ReplayDeliveries } from '../application/replay-deliveries.js';

const listQuery = pageQuerySchema.extend({ state: z.enum(['pending', 'delivered', 'dead', 'skipped']).optional() });
const replayBody = z.strictObject({
  state: z.enum(['dead', 'skipped']).default('dead'),
  message_sid: z
    .string()
    .regex(/^SM[0-9a-fA-F]{32}$/)
    .optional(),
  created_after: z.iso.datetime({ offset: true }).optional(),
  created_before: z.iso.datetime({ offset: true }).optional(),
});

/** A customer's webhook deliveries: what was told, what waits, what died, and another try. */
@Controller('v1/webhook-deliveries')
export class WebhookDeliveriesController {
  constructor(
    private readonly deliveries: ListDeliveries,
    private readonly replays: ReplayDeliveries,
  ) {}

  @Get()
  async list(@CurrentPrincipal() principal: Principal, @Query({ schema: listQuery }) query: z.infer<typeof listQuery>) {
    const after = query.cursor === undefined ? null : positionOf(decodeCursor(query.cursor, 2));
    const rows = await this.deliveries.page(accountId(principal), query.state ?? null, after, query.limit + 1);
    return nativePage(rows, query.limit, present, (row) => [row.messageId, row.version]);
  }

  /** Lets deliveries that were given up and match be tried again, at most 1000 a call; `has_more`: call again. */
  @Post('replay')
  @HttpCode(202)
  async replayMatching(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: replayBody }) body: z.infer<typeof replayBody>,
  ) {
    const { queued, hasMore } = await this.replays.matching(accountId(principal), {
      state: body.state,
      messageId: body.message_sid === undefined ? null : parseSid('SM', body.message_sid),
      createdAfter: body.created_after === undefined ? null : new Date(body.created_after),
      createdBefore: body.created_before === undefined ? null : new Date(body.created_before),
    });
    return { queued, has_more: hasMore };
  }

  /** Lets one delivery be tried again, from its first attempt. */
  @Post(':id/replay')
  @HttpCode(202)
  async replay(@CurrentPrincipal() principal: Principal, @Param('id') id: string) {
    return present(await this.replays.one(accountId(principal), id));
  }
}

function accountId(principal: Principal): string {
  return parseSid('AC', principal.accountSid)!;
}

function positionOf([messageId, version]: readonly (string | number)[]): { messageId: string; version: number } {
  if (typeof messageId === 'string' && typeof version === 'number' && Number.isInteger(version)) {
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(messageId) && Math.abs(version) < 2 ** 31) {
      return { messageId, version };
    }
  }
  throw new Failure('invalid_parameter', { field: 'cursor', detail: "'cursor' is not one that an earlier page gave" });
}

function present(view: DeliveryView) {
  return {
    id: `${sidOf('SM', view.messageId)}-${view.version}`,
    message_sid: sidOf('SM', view.messageId),
    message_status: view.status,
    state: view.state,
    url: view.url,
    attempts: view.attempts,
    next_attempt_at: view.state === 'pending' ? view.nextAttemptAt.toISOString() : null,
    last_status: view.lastStatus,
    last_error: view.lastError,
    created_at: view.createdAt.toISOString(),
    updated_at: view.updatedAt.toISOString(),
  };
}
