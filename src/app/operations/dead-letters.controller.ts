import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { NotificationsApi } from '../../modules/notifications/contract/notifications.api.js';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { OperatorOnly } from '../../platform/http/decorators.js';
import { decodeCursor, nativePage, pageQuerySchema } from '../../platform/http/page.js';
import { Failure } from '../../shared/failure.js';

/** One thing that was given up and waits for somebody to decide. */
interface DeadLetter {
  readonly id: string;
  readonly kind: 'event' | 'webhook';
  readonly subject: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly at: string;
}

const EVENT_ID = /^event:([a-z.-]{1,100}):(\d{1,15})$/;
const WEBHOOK_ID = /^webhook:(SM[0-9a-f]{32}-\d{1,9})$/;

/** Parked events and dead webhooks in one list, each to be retried or skipped. */
@Controller('v1/operator/dead-letters')
@OperatorOnly()
export class DeadLettersController {
  constructor(
    private readonly bus: EventBus,
    @Inject(NotificationsApi) private readonly notifications: NotificationsApi,
  ) {}

  /** Parked events first, in the order of their consumers, then dead webhooks. */
  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const wanted = query.limit + 1;
    const [kind, after] = query.cursor === undefined ? ['event', ''] : decodeCursor(query.cursor, 2);
    const letters: DeadLetter[] = kind === 'event' ? await this.events(String(after), wanted) : [];
    if (letters.length < wanted) {
      const from = kind === 'webhook' ? String(after) : null;
      letters.push(...(await this.webhooks(from, wanted - letters.length)));
    }
    return nativePage(
      letters,
      query.limit,
      (letter) => letter,
      (letter) => [letter.kind, letter.id.slice(letter.kind.length + 1)],
    );
  }

  /** Tries it again, from its first attempt. */
  @Post(':id/retry')
  @HttpCode(202)
  retry(@Param('id') id: string) {
    return this.resolve(id, 'retry');
  }

  /** Drops it for good; what waits behind it goes on. */
  @Post(':id/skip')
  @HttpCode(202)
  skip(@Param('id') id: string) {
    return this.resolve(id, 'skip');
  }

  private async resolve(id: string, action: 'retry' | 'skip') {
    const event = EVENT_ID.exec(id);
    const webhook = WEBHOOK_ID.exec(id);
    const done = event
      ? await this.bus.resolveParked(event[1]!, Number(event[2]), action)
      : webhook !== null && (await this.notifications.resolveDead({ id: webhook[1]!, action }));
    if (!done) throw new Failure('not_found');
    return { id, action };
  }

  private async events(after: string, limit: number): Promise<DeadLetter[]> {
    const place = /^(.*):(\d+)$/.exec(after);
    const parked = await this.bus.parked({ consumer: place?.[1] ?? '', position: Number(place?.[2] ?? 0) }, limit);
    return parked.map((event) => ({
      id: `event:${event.consumer}:${event.position}`,
      kind: 'event',
      subject: `${event.source}/${event.position}`,
      reason: event.error,
      attempts: event.attempts,
      at: event.parkedAt.toISOString(),
    }));
  }

  private async webhooks(after: string | null, limit: number): Promise<DeadLetter[]> {
    const dead = await this.notifications.listDead({ after, limit });
    return dead.map((delivery) => ({
      id: `webhook:${delivery.id}`,
      kind: 'webhook',
      subject: delivery.messageSid,
      reason: delivery.reason,
      attempts: delivery.attempts,
      at: delivery.at,
    }));
  }
}
