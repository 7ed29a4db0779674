import { Body, Controller, Get, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { encodeCursor, pageQuerySchema } from '../../../platform/http/page.js';
import { inboundRequest, knobChange, SimulatorControl } from '../application/simulator-control.js';
import { numberCursor } from './cursor.js';

/** Whether there is such a carrier is asked first, so that nothing is missed where there is none. */
const putBody = knobChange.optional();

/** The simulated carriers' knobs, counters and records. Where nothing is simulated, there are none. */
@Controller('v1/operator/simulator/carriers')
@OperatorOnly()
export class SimulatorController {
  constructor(private readonly simulator: SimulatorControl) {}

  @Get(':name')
  async get(@Param('name') name: string) {
    return this.simulator.get(name);
  }

  @Put(':name')
  async put(@Param('name') name: string, @Body({ schema: putBody }) body: z.infer<typeof putBody>) {
    return this.simulator.put(name, body);
  }

  /** What the carrier was given, by its own record, oldest first. */
  @Get(':name/submissions')
  async submissions(
    @Param('name') name: string,
    @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>,
  ) {
    const page = await this.simulator.submissions(name, { after: numberCursor(query.cursor), limit: query.limit });
    const last = page.data.at(-1);
    const next = page.hasMore && last ? encodeCursor([last.sequence]) : null;
    return { data: page.data, next_cursor: next, has_more: next !== null };
  }

  /** Lets a phone send a message through the carrier, in as many parts as it takes. Answers when all are confirmed. */
  @Post(':name/inbound')
  async inbound(@Param('name') name: string, @Body({ schema: inboundRequest }) body: z.infer<typeof inboundRequest>) {
    return this.simulator.inbound(name, body);
  }
}
