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

interface EventPlace {
  readonly consumer: string;
  readonly position: number;
}

interface WebhookPlace {
  readonly webhook: string;
}

const FIRST: EventPlace = { consumer: '', position: 0 };

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
    const after = query.cursor === undefined ? FIRST : placeOf(String(decodeCursor(query.cursor, 1)[0]));
    const letters: DeadLetter[] = 'consumer' in after ? await this.events(after, wanted) : [];
    if (letters.length < wanted) {
      const webhook = 'webhook' in after ? after.webhook : null;
      letters.push(...(await this.webhooks(webhook, wanted - letters.length)));
    }
    return nativePage(
      letters,
      query.limit,
      (letter) => letter,
      (letter) => [letter.id],
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
    const letter = parseId(id);
    if (!letter || !(await this.settle(letter, action))) throw new Failure('not_found');
    return { id, action };
  }

  private settle(letter: EventPlace | WebhookPlace, action: 'retry' | 'skip'): Promise<boolean> {
    if ('consumer' in letter) return this.bus.resolveParked(letter.consumer, letter.position, action);
    return this.notifications.resolveDead({ id: letter.webhook, action });
  }

  private async events(after: EventPlace, limit: number): Promise<DeadLetter[]> {
    const parked = await this.bus.parked(after, limit);
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

function parseId(id: string): EventPlace | WebhookPlace | null {
  const event = EVENT_ID.exec(id);
  if (event) return { consumer: event[1]!, position: Number(event[2]) };
  const webhook = WEBHOOK_ID.exec(id);
  return webhook && { webhook: webhook[1]! };
}

function placeOf(id: string): EventPlace | WebhookPlace {
  const place = parseId(id);
  if (place) return place;
  throw new Failure('invalid_parameter', { field: 'cursor', detail: "'cursor' is not one that an earlier page gave" });
}
