import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CurrentPrincipal } from '../../../platform/http/decorators.js';
import { PublicUrl } from '../../../platform/http/public-url.js';
import { idPosition } from '../../../platform/http/twilio-list.js';
import { twilioMetaPage } from '../../../platform/http/twilio-page.js';
import type { Principal } from '../../../shared/principal.js';
import { ChangeService } from '../application/change-service.js';
import { CreateService } from '../application/create-service.js';
import { DeleteService } from '../application/delete-service.js';
import { ListServices } from '../application/list-services.js';

import { accountId, idOf } from './path-ids.js';
import { presentService } from './services.presenter.js';
import { changeServiceBody, createServiceBody, listServicesQuery, settingsOf } from './services.schemas.js';

/** Messaging services as Twilio's API has them. */
@Controller('v1/Services')
export class ServicesController {
  constructor(
    private readonly createService: CreateService,
    private readonly listServices: ListServices,
    private readonly changeService: ChangeService,
    private readonly deleteService: DeleteService,
    private readonly publicUrl: PublicUrl,
  ) {}

  /** Makes a service with an empty pool; add numbers to it before you send through it. */
  @Post()
  @HttpCode(201)
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createServiceBody }) body: z.infer<typeof createServiceBody>,
  ) {
    const given = { ...settingsOf(body), friendlyName: body.FriendlyName };
    return presentService(await this.createService.create(accountId(principal), given), this.publicUrl.base());
  }

  @Get()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: listServicesQuery }) query: z.infer<typeof listServicesQuery>,
    @Req() request: FastifyRequest,
  ) {
    const base = this.publicUrl.base();
    const read = await this.listServices.page(accountId(principal), idPosition(query), query.PageSize + 1);
    const path = new URL(request.url, base).pathname;
    const { rows, meta } = twilioMetaPage(
      { path, filters: {}, query, rows: read, position: (service) => [service.id] },
      'services',
      base,
    );
    return { meta, services: rows.map((service) => presentService(service, base)) };
  }

  @Get(':Sid')
  async fetch(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string) {
    const service = await this.listServices.one(accountId(principal), idOf('MG', sid));
    return presentService(service, this.publicUrl.base());
  }

  /** What is left out stays. It holds for messages that are created from now on. */
  @Post(':Sid')
  @HttpCode(200)
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('Sid') sid: string,
    @Body({ schema: changeServiceBody }) body: z.infer<typeof changeServiceBody>,
  ) {
    const service = await this.changeService.change(accountId(principal), idOf('MG', sid), settingsOf(body));
    return presentService(service, this.publicUrl.base());
  }

  /** Its numbers stay with the account; what is scheduled through it fails when it is due. */
  @Delete(':Sid')
  @HttpCode(204)
  async delete(@CurrentPrincipal() principal: Principal, @Param('Sid') sid: string): Promise<void> {
    await this.deleteService.delete(accountId(principal), idOf('MG', sid));
  }
}
