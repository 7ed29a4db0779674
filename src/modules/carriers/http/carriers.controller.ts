import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { OperatorOnly } from '../../../platform/http/decorators.js';
import { nativePage, pageQuerySchema } from '../../../platform/http/page.js';
import { AddCarrier } from '../application/add-carrier.js';
import { ChangeCarrier } from '../application/change-carrier.js';
import { LookUpCarriers } from '../application/look-up-carriers.js';
import { presentCarrier, presentInbound, presentOrphan } from './carriers.presenters.js';
import { addCarrierBody, changeCarrierBody } from './carriers.schemas.js';
import { idCursor, textCursor } from './cursor.js';
import { carrierChange, newHttpCarrier } from './http-carrier.requests.js';
import { splitSmpp } from './smpp-carrier.schemas.js';

type PageQuery = z.infer<typeof pageQuerySchema>;

/** The operator's view of carriers. */
@Controller('v1/operator/carriers')
@OperatorOnly()
export class CarriersController {
  constructor(
    private readonly addCarrier: AddCarrier,
    private readonly changeCarrier: ChangeCarrier,
    private readonly lookUp: LookUpCarriers,
  ) {}

  @Post()
  async add(@Body({ schema: addCarrierBody }) body: z.infer<typeof addCarrierBody>) {
    if (body.type === 'http') {
      await this.addCarrier.addHttp(newHttpCarrier(body));
    } else {
      const { rest, smpp } = splitSmpp(body);
      const { system_id: systemId, window: windowSize, ...given } = rest;
      await this.addCarrier.add({ ...given, systemId, windowSize, smpp });
    }
    return presentCarrier(await this.lookUp.find(body.name));
  }

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const carriers = await this.lookUp.list(textCursor(query.cursor), query.limit + 1);
    return nativePage(carriers, query.limit, presentCarrier, (carrier) => [carrier.name]);
  }

  @Get(':name')
  async get(@Param('name') name: string) {
    return presentCarrier(await this.lookUp.find(name));
  }

  @Patch(':name')
  async change(
    @Param('name') name: string,
    @Body({ schema: changeCarrierBody }) body: z.infer<typeof changeCarrierBody>,
  ) {
    await this.changeCarrier.change(name, carrierChange(body));
    return presentCarrier(await this.lookUp.find(name));
  }

  /** It takes nothing more: what waits for it goes another way. It stays bound for the receipts of what it has. */
  @Post(':name/drain')
  @HttpCode(200)
  async drain(@Param('name') name: string) {
    await this.changeCarrier.change(name, { state: 'draining' });
    return presentCarrier(await this.lookUp.find(name));
  }

  /** Receipts that match no submission. */
  @Get(':name/orphan-receipts')
  async orphanReceipts(@Param('name') name: string, @Query({ schema: pageQuerySchema }) query: PageQuery) {
    const orphans = await this.lookUp.orphanReceipts(name, idCursor(query.cursor), query.limit + 1);
    return nativePage(orphans, query.limit, presentOrphan, (orphan) => [orphan.id]);
  }

  /** Messages that came in from phones, newest first. */
  @Get(':name/inbound')
  async inbound(@Param('name') name: string, @Query({ schema: pageQuerySchema }) query: PageQuery) {
    const messages = await this.lookUp.inbound(name, idCursor(query.cursor), query.limit + 1);
    return nativePage(messages, query.limit, presentInbound, (message) => [message.id]);
  }
}
