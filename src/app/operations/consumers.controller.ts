import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { OperatorOnly } from '../../platform/http/decorators.js';
import { Failure } from '../../shared/failure.js';

const replayBody = z.strictObject({ from: z.int().min(0).default(0) });

/** The durable consumers: where each stands, and how to start one over. */
@Controller('v1/operator/consumers')
@OperatorOnly()
export class ConsumersController {
  constructor(private readonly bus: EventBus) {}

  @Get()
  async list() {
    const data = await this.bus.positions();
    return { data, next_cursor: null, has_more: false };
  }

  /** Starts a consumer over from after a position (0: from the first event). Effects that happened stay single. */
  @Post(':id/replay')
  @HttpCode(202)
  async replay(@Param('id') id: string, @Body({ schema: replayBody }) body: z.infer<typeof replayBody>) {
    if (!(await this.bus.replay(id, body.from))) throw new Failure('not_found');
    return { id, from: body.from };
  }
}
