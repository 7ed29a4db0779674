import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { DeleteRate } from '../application/delete-rate.js';
import { ListRates } from '../application/list-rates.js';
import { SetRate } from '../application/set-rate.js';
import { presentRate } from './billing.presenters.js';
import { setRateBody } from './billing.schemas.js';
import { cursorId } from './cursor.js';

/** The price of a segment by prefix. */
@Controller('v1/operator/rates')
@OperatorOnly()
export class RatesController {
  constructor(
    private readonly setRate: SetRate,
    private readonly listRates: ListRates,
    private readonly deleteRate: DeleteRate,
  ) {}

  /** A rate that is there already for the prefix gets the new price. */
  @Post()
  async set(@Body({ schema: setRateBody }) body: z.infer<typeof setRateBody>) {
    const { prefix, price, account_sid: accountSid } = body;
    return presentRate(await this.setRate.set({ prefix, priceMicros: Number(price), accountSid }));
  }

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>) {
    const rates = await this.listRates.list(cursorId(query.cursor), query.limit + 1);
    return nativePage(rates, query.limit, presentRate, (rate) => [rate.id]);
  }

  @Delete(':id')
  @HttpCode(204)
  async delete(@Param('id') id: string): Promise<void> {
    await this.deleteRate.delete(id);
  }
}
